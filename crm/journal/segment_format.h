#pragma once
// The bytes of one journal file: a header, then records one after the other, then nothing or zeros. All numbers are
// little-endian.
//
//   header  "SWJOURNL" | version u32 | CRC-32C of these 12 bytes
//   record  magic u32 | kind u8 | 0 u8 | key length u16 | payload length u32 | version i64
//           | CRC-32C of these 20 bytes | CRC-32C of them, the key and the payload | key | payload
//
// The magic holds bytes that UTF-8 never has, so that no payload looks like a record; the sum over the head keeps a
// damaged length from being believed.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crm::journal {

inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t segment_head_bytes = 16;
inline constexpr std::size_t record_head_bytes = 28;
inline constexpr std::size_t longest_key = 256;
inline constexpr std::size_t longest_payload = 8U << 20U;

/// Files are named by a number that grows, and what they are.
inline constexpr std::string_view segment_ending = ".segment";
inline constexpr std::string_view aside_ending = ".damaged";  ///< Kept for people to look at, never read again.
std::string file_name(std::uint64_t number, std::string_view ending);
std::optional<std::uint64_t> number_in(std::string_view file_name, std::string_view ending);

enum class Kind : std::uint8_t {
  snapshot = 1,   ///< The payload is to be kept under this key until something newer makes it needless.
  forgotten = 2,  ///< Everything of the key up to this version is kept elsewhere; no payload.
};

struct Record {
  Kind kind = Kind::snapshot;
  std::string_view key;
  std::int64_t version = 0;
  std::string_view payload;
};

/// A record where it stands in a file.
struct Found {
  Record record;  ///< Points into the bytes that were read.
  std::size_t offset = 0;
  std::size_t length = 0;
};

struct Reading {
  std::vector<Found> records;  ///< In file order.
  bool newer = false;          ///< A later version of the program wrote this; nothing was read.
  bool torn = false;           ///< Something that is neither a record nor zeros follows the last record.
  std::size_t holes = 0;       ///< Stretches that are no record, with a record behind them, or a bad header.
  std::size_t end = 0;         ///< Behind the last record.
};

std::string segment_head();
/// `key` and `payload` must be within their limits.
void append_record(std::string& out, Record const& record);
constexpr std::size_t length_of(Record const& record) {
  return record_head_bytes + record.key.size() + record.payload.size();
}

/// The record that begins at `offset`, if a whole and sound one does.
bool read_record(std::string_view bytes, std::size_t offset, Found& found);
/// Everything that can still be read of a file, whatever has happened to it: behind damage, reading goes on where the
/// next sound record begins.
Reading read_segment(std::string_view bytes);

}  // namespace crm::journal
