#pragma once
// RFC 6455 on the wire, as pure functions over bytes: no sockets, no clock.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/net/utf8.h"

namespace net::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

using MaskKey = std::array<std::uint8_t, 4>;

/// Masks and unmasks in place (section 5.3). `offset` is how far into the payload `bytes` begins.
void apply_mask(std::span<char> bytes, MaskKey key, std::size_t offset = 0);

/// Appends one unfragmented frame; masked, as clients must, when there is a key.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::optional<MaskKey> key = std::nullopt);

/// The payload of a close frame: two bytes of code and at most 123 of reason, cut between characters.
std::string close_payload(std::uint16_t code, std::string_view reason);

/// A peer that broke the protocol, and the close code that tells it so (section 7.4.1).
struct Violation {
  std::uint16_t code;
  std::string_view what;
};

/// Hears what a MessageReader finds. Views last until the call returns. Each answers whether to read on: false when the
/// connection is given up, after which nothing more is reported.
class MessageSink {
 public:
  virtual bool on_message(Opcode text_or_binary, std::string_view message) = 0;
  virtual bool on_ping(std::string_view payload) = 0;
  virtual bool on_pong(std::string_view payload) = 0;
  /// 1005 when the frame names no code.
  virtual bool on_close(std::uint16_t code, std::string_view reason) = 0;

 protected:
  ~MessageSink() = default;
};

enum class Role { server, client };  ///< Ours: a server hears masked frames, a client unmasked ones.

/// Turns the bytes of one direction into messages. What arrives whole is handed on without being copied; only the rest
/// of a read that ends inside a frame, and fragments, are kept.
class MessageReader {
 public:
  MessageReader(Role role, std::size_t max_message_bytes) : role_{role}, max_bytes_{max_message_bytes} {}

  /// Takes what a read delivered (which it unmasks in place). After a violation nothing may follow.
  std::optional<Violation> take(std::span<char> bytes, MessageSink& sink);

  /// Bytes it holds between two reads.
  std::size_t kept_bytes() const { return partial_.capacity() + message_.capacity(); }

 private:
  struct Header {
    bool is_final = false;
    Opcode opcode = Opcode::continuation;
    std::optional<MaskKey> key;
    std::size_t bytes = 0;    // of the header itself
    std::size_t payload = 0;  // bytes that follow
  };
  enum class Step { more, stop };

  /// Empty: not all of it is there.
  std::optional<Header> read_header(std::span<char const> bytes);
  std::optional<Step> frame(Header const& header, std::span<char> payload, MessageSink& sink);
  std::optional<Step> data(Header const& header, std::string_view payload, MessageSink& sink);
  std::optional<Step> control(Header const& header, std::string_view payload, MessageSink& sink);
  std::nullopt_t violate(std::uint16_t code, std::string_view what);

  Role role_;
  std::optional<Opcode> fragmented_;
  Utf8Checker checker_;  // of the fragments so far
  std::size_t max_bytes_;
  std::string partial_;  // the beginning of a frame of which the rest has not come
  std::string message_;  // fragments so far
  std::optional<Violation> violation_;
};

}  // namespace net::websocket
