#include "gateway/net/websocket_frame.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "gateway/base/text.h"

namespace net::websocket {
namespace {

constexpr std::size_t longest_control = 125;  // RFC 6455, 5.5
/// What a connection keeps of a buffer that one long message has grown.
constexpr std::size_t kept_buffer_bytes = 4096;

void release(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kept_buffer_bytes) buffer.shrink_to_fit();
}

/// RFC 6455, 7.4, and the codes registered since.
bool may_travel(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::uint64_t number(std::span<char const> bytes) {
  std::uint64_t value = 0;
  for (char const byte : bytes) value = (value << 8) | static_cast<std::uint8_t>(byte);
  return value;
}

}  // namespace

void apply_mask(std::span<char> bytes, MaskKey key, std::size_t offset) {
  std::array<std::uint8_t, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % key.size()];
  auto const mask = std::bit_cast<std::uint64_t>(turned);
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    word ^= mask;
    std::memcpy(bytes.data() + at, &word, 8);
  }
  for (; at < bytes.size(); ++at) bytes[at] = static_cast<char>(static_cast<std::uint8_t>(bytes[at]) ^ turned[at % 8]);
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::optional<MaskKey> key) {
  auto const mask_bit = key ? 0x80U : 0U;
  std::array<char, 14> header;
  std::size_t size = 0;
  auto const put = [&](std::uint64_t byte) { header[size++] = static_cast<char>(byte); };
  put(0x80U | static_cast<unsigned>(opcode));
  if (payload.size() < 126) {
    put(mask_bit | payload.size());
  } else if (payload.size() <= 0xFFFF) {
    put(mask_bit | 126U);
    for (int shift = 8; shift >= 0; shift -= 8) put(payload.size() >> shift);
  } else {
    put(mask_bit | 127U);
    for (int shift = 56; shift >= 0; shift -= 8) put(payload.size() >> shift);
  }
  if (key)
    for (auto const byte : *key) put(byte);
  out.append(header.data(), size);
  auto const begin = out.size();
  out.append(payload);
  if (key) apply_mask(std::span{out}.subspan(begin), *key);
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return payload.append(base::clipped(reason, longest_control - payload.size()));
}

std::nullopt_t MessageReader::violate(std::uint16_t code, std::string_view what) {
  violation_ = Violation{code, what};
  return std::nullopt;
}

std::optional<MessageReader::Header> MessageReader::read_header(std::span<char const> bytes) {
  if (bytes.size() < 2) return std::nullopt;
  auto const first = static_cast<std::uint8_t>(bytes[0]);
  auto const second = static_cast<std::uint8_t>(bytes[1]);
  if ((first & 0x70) != 0) return violate(1002, "a reserved bit is set");
  Header header;
  header.is_final = (first & 0x80) != 0;
  header.opcode = static_cast<Opcode>(first & 0x0F);
  bool const is_control = (first & 0x08) != 0;
  bool const is_known = (first & 0x0F) <= 2 || ((first & 0x0F) >= 8 && (first & 0x0F) <= 10);
  if (!is_known) return violate(1002, "an opcode is unknown");
  bool const is_masked = (second & 0x80) != 0;
  if (is_masked != (role_ == Role::server))
    return violate(1002, is_masked ? "a server masks" : "a client does not mask");
  std::uint64_t length = second & 0x7F;
  if (is_control && (!header.is_final || length > longest_control)) return violate(1002, "a control frame is too long");
  std::size_t const extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  header.bytes = 2 + extended + (is_masked ? 4 : 0);
  if (bytes.size() < 2 + extended) return std::nullopt;
  if (extended > 0) {
    length = number(bytes.subspan(2, extended));
    bool const is_minimal = extended == 2 ? length >= 126 : length > 0xFFFF;
    if (!is_minimal || (length >> 63) != 0) return violate(1002, "a length is not written as it must be");
  }
  if (!is_control && length > max_bytes_ - std::min(message_.size(), max_bytes_))
    return violate(1009, "message too big");
  if (bytes.size() < header.bytes) return std::nullopt;
  header.payload = static_cast<std::size_t>(length);
  if (is_masked) {
    header.key.emplace();
    std::memcpy(header.key->data(), bytes.data() + 2 + extended, 4);
  }
  return header;
}

std::optional<Violation> MessageReader::take(std::span<char> bytes, MessageSink& sink) {
  while (!bytes.empty()) {
    if (!partial_.empty()) {
      // Just what the frame under way still needs, so that all that follows it is read in place.
      auto header = read_header(partial_);
      if (violation_) return violation_;
      auto const wanted = header ? header->bytes + header->payload : partial_.size() + 1;
      auto const taken = std::min(wanted - std::min(wanted, partial_.size()), bytes.size());
      partial_.append(bytes.data(), taken);
      bytes = bytes.subspan(taken);
      if (!header) header = read_header(partial_);
      if (violation_) return violation_;
      if (!header || partial_.size() < header->bytes + header->payload) continue;
      auto const step = frame(*header, std::span{partial_}.subspan(header->bytes), sink);
      if (!step || *step == Step::stop) return violation_;
      release(partial_);
      continue;
    }
    auto const header = read_header(bytes);
    if (violation_) return violation_;
    if (!header || bytes.size() < header->bytes + header->payload) {
      partial_.assign(bytes.data(), bytes.size());
      return std::nullopt;
    }
    auto const step = frame(*header, bytes.subspan(header->bytes, header->payload), sink);
    if (!step || *step == Step::stop) return violation_;
    bytes = bytes.subspan(header->bytes + header->payload);
  }
  return std::nullopt;
}

std::optional<MessageReader::Step> MessageReader::frame(Header const& header, std::span<char> payload,
                                                        MessageSink& sink) {
  if (header.key) apply_mask(payload, *header.key);
  std::string_view const text{payload.data(), payload.size()};
  bool const is_control = (static_cast<unsigned>(header.opcode) & 0x08U) != 0;
  return is_control ? control(header, text, sink) : data(header, text, sink);
}

std::optional<MessageReader::Step> MessageReader::data(Header const& header, std::string_view payload,
                                                       MessageSink& sink) {
  bool const continues = header.opcode == Opcode::continuation;
  if (continues != fragmented_.has_value())
    return violate(1002, continues ? "a continuation of nothing" : "a message inside another");
  auto const opcode = fragmented_.value_or(header.opcode);
  if (!continues) checker_ = {};
  if (opcode == Opcode::text) {
    bool const is_right = checker_.take(payload) && (!header.is_final || checker_.is_complete());
    if (!is_right) return violate(1007, "a text is not UTF-8");
  }
  if (header.is_final && !continues) return sink.on_message(opcode, payload) ? Step::more : Step::stop;
  fragmented_ = opcode;
  message_.append(payload);
  if (!header.is_final) return Step::more;
  fragmented_.reset();
  bool const goes_on = sink.on_message(opcode, message_);
  release(message_);
  return goes_on ? Step::more : Step::stop;
}

std::optional<MessageReader::Step> MessageReader::control(Header const& header, std::string_view payload,
                                                          MessageSink& sink) {
  if (header.opcode == Opcode::ping) return sink.on_ping(payload) ? Step::more : Step::stop;
  if (header.opcode == Opcode::pong) return sink.on_pong(payload) ? Step::more : Step::stop;
  if (payload.empty()) return sink.on_close(1005, {}) ? Step::more : Step::stop;
  if (payload.size() < 2) return violate(1002, "a close frame has half a code");
  auto const code = static_cast<std::uint16_t>(number({payload.data(), 2}));
  if (!may_travel(code)) return violate(1002, "a close code may not travel");
  if (!is_utf8(payload.substr(2))) return violate(1007, "a close reason is not UTF-8");
  return sink.on_close(code, payload.substr(2)) ? Step::more : Step::stop;
}

}  // namespace net::websocket
