#include "crm/journal/segment_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstring>

#include "crm/journal/crc32c.h"

namespace crm::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view segment_magic = "SWJOURNL";
constexpr std::string_view record_magic = "\xFEJ\xFFR";
constexpr std::size_t summed_head_bytes = 20;

template <class T>
void append_number(std::string& out, T number) {
  out.append(reinterpret_cast<char const*>(&number), sizeof number);
}

template <class T>
T number_at(std::string_view bytes, std::size_t offset) {
  T number;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

bool only_zeros(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

/// Where the next sound record begins, or the end.
std::size_t next_record(std::string_view bytes, std::size_t offset, Found& found) {
  for (;;) {
    offset = bytes.find(record_magic, offset);
    if (offset == std::string_view::npos) return bytes.size();
    if (read_record(bytes, offset, found)) return offset;
    ++offset;
  }
}

}  // namespace

std::string file_name(std::uint64_t number, std::string_view ending) {
  return fmt::format("{:012}{}", number, ending);
}

std::optional<std::uint64_t> number_in(std::string_view file_name, std::string_view ending) {
  if (!file_name.ends_with(ending)) return std::nullopt;
  file_name.remove_suffix(ending.size());
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(file_name.data(), file_name.data() + file_name.size(), number);
  bool const whole = error == std::errc{} && end == file_name.data() + file_name.size();
  return whole ? std::optional{number} : std::nullopt;
}

std::string segment_head() {
  std::string head{segment_magic};
  append_number(head, format_version);
  append_number(head, crc32c(head));
  return head;
}

void append_record(std::string& out, Record const& record) {
  assert(record.key.size() <= longest_key && record.payload.size() <= longest_payload);
  auto const start = out.size();
  out.reserve(start + length_of(record));
  out += record_magic;
  append_number(out, static_cast<std::uint8_t>(record.kind));
  append_number(out, std::uint8_t{0});
  append_number(out, static_cast<std::uint16_t>(record.key.size()));
  append_number(out, static_cast<std::uint32_t>(record.payload.size()));
  append_number(out, record.version);
  auto const head_sum = crc32c(std::string_view{out}.substr(start));
  append_number(out, head_sum);
  append_number(out, crc32c(record.payload, crc32c(record.key, head_sum)));
  out += record.key;
  out += record.payload;
}

bool read_record(std::string_view bytes, std::size_t offset, Found& found) {
  if (offset > bytes.size() || bytes.size() - offset < record_head_bytes) return false;
  bytes.remove_prefix(offset);
  if (!bytes.starts_with(record_magic)) return false;
  auto const head_sum = number_at<std::uint32_t>(bytes, summed_head_bytes);
  if (crc32c(bytes.substr(0, summed_head_bytes)) != head_sum) return false;
  auto const kind = number_at<std::uint8_t>(bytes, 4);
  auto const key_length = number_at<std::uint16_t>(bytes, 6);
  auto const payload_length = number_at<std::uint32_t>(bytes, 8);
  bool const known =
      kind == static_cast<std::uint8_t>(Kind::snapshot) || kind == static_cast<std::uint8_t>(Kind::forgotten);
  if (!known || key_length > longest_key || payload_length > longest_payload) return false;
  auto const body = bytes.substr(record_head_bytes);
  if (body.size() < std::size_t{key_length} + payload_length) return false;
  auto const key = body.substr(0, key_length);
  auto const payload = body.substr(key_length, payload_length);
  if (crc32c(payload, crc32c(key, head_sum)) != number_at<std::uint32_t>(bytes, summed_head_bytes + 4)) return false;
  found.record = {static_cast<Kind>(kind), key, number_at<std::int64_t>(bytes, 12), payload};
  found.offset = offset;
  found.length = length_of(found.record);
  return true;
}

Reading read_segment(std::string_view bytes) {
  Reading reading;
  std::size_t offset = 0;
  auto const head = bytes.substr(0, segment_head_bytes);
  bool const sound = head.size() == segment_head_bytes && head.starts_with(segment_magic) &&
                     number_at<std::uint32_t>(head, 12) == crc32c(head.substr(0, 12));
  if (sound && number_at<std::uint32_t>(head, 8) != format_version) {
    reading.newer = true;
    return reading;
  }
  if (sound)
    offset = reading.end = segment_head_bytes;
  else if (only_zeros(bytes))
    return reading;
  else
    ++reading.holes;
  Found found;
  while (offset < bytes.size()) {
    if (!read_record(bytes, offset, found)) {
      auto const next = next_record(bytes, offset, found);
      if (next == bytes.size()) {
        reading.torn = !only_zeros(bytes.substr(offset));
        break;
      }
      if (sound || !reading.records.empty()) ++reading.holes;
    }
    reading.records.push_back(found);
    offset = reading.end = found.offset + found.length;
  }
  return reading;
}

}  // namespace crm::journal
