#pragma once
// The Media Streams wire, both ways: exactly the shapes of Twilio's "Media Streams - WebSocket messages".
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "loadtest/sim/twilio/violation.h"

namespace sim::twilio {

struct StreamIdentity {
  std::string account_sid;
  std::string call_sid;
  std::string stream_sid;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string encode_connected();
std::string encode_start(StreamIdentity const& id, std::uint64_t sequence, Parameters const& custom);
/// Overwrites `out`, whose storage is reused from frame to frame.
void encode_media(std::string& out, StreamIdentity const& id, std::uint64_t sequence, std::uint64_t chunk,
                  std::int64_t timestamp_ms, std::span<std::uint8_t const> mulaw);
std::string encode_dtmf(StreamIdentity const& id, std::uint64_t sequence, char digit);
std::string encode_mark(StreamIdentity const& id, std::uint64_t sequence, std::string_view name);
std::string encode_stop(StreamIdentity const& id, std::uint64_t sequence);

struct MediaMessage {
  std::vector<std::uint8_t> mulaw;
};
struct MarkMessage {
  std::string name;
};
struct ClearMessage {};
using GatewayMessage = std::variant<MediaMessage, MarkMessage, ClearMessage>;

/// As strict as Twilio: no member more or less than documented, the right streamSid, standard base64. Otherwise 31951.
std::expected<GatewayMessage, Violation> decode_from_gateway(std::string_view text, std::string_view stream_sid);

}  // namespace sim::twilio
