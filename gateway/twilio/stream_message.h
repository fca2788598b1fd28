#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/result.h"

/// The JSON messages of a Twilio Media Stream (WebSocket messages page, protocol version 1.0.0, 2026). Twilio writes
/// numbers as strings almost everywhere; either is read. Unknown members and events are skipped, since Twilio adds
/// them; what we write has exactly the documented members, since Twilio drops a message with any other (31951).
namespace gateway::twilio {

enum class Track { inbound, outbound };

struct Connected {
  std::string protocol;
  std::string version;
};

/// Once, before any media. Comes from somebody unproven until its ticket is verified.
struct Start {
  std::uint64_t sequence = 0;
  base::StreamSid stream_sid;
  base::CallSid call_sid;
  base::AccountSid account_sid;
  std::vector<std::pair<std::string, std::string>> custom_parameters;  ///< The <Parameter>s of the TwiML, by name.

  /// Empty when there is none of that name.
  std::string_view parameter(std::string_view name) const;
};

/// Usually 20 ms of the caller.
struct Media {
  std::uint64_t sequence = 0;
  std::uint64_t chunk = 0;
  std::chrono::milliseconds timestamp{0};  ///< Since the stream's start; the first is not 0.
  Track track = Track::inbound;
  base::StreamSid stream_sid;  ///< Empty when the message has none.
  std::string payload;         ///< Mu-law, 8000 Hz, mono, decoded from base64.

  std::span<std::uint8_t const> mulaw() const {
    return {reinterpret_cast<std::uint8_t const*>(payload.data()), payload.size()};
  }
};

struct Dtmf {
  std::uint64_t sequence = 0;
  base::StreamSid stream_sid;
  char digit = '0';  ///< 0-9 * # A-D
};

/// All audio before our mark of that name has been played, or a clear has thrown it away.
struct Mark {
  std::uint64_t sequence = 0;
  base::StreamSid stream_sid;
  std::string name;
};

/// The stream has ended, which the call may not have.
struct Stop {
  std::uint64_t sequence = 0;
  base::StreamSid stream_sid;
  base::CallSid call_sid;
};

struct Unknown {
  std::string event;
};

using Incoming = std::variant<Connected, Start, Media, Dtmf, Mark, Stop, Unknown>;

inline constexpr std::size_t max_stream_message_bytes = 64 * 1024;

/// Fault::protocol for what is not a well-formed message of its kind (a start that is not audio/x-mulaw, 8000 Hz, mono
/// included) or is nested deeper than 64; Fault::too_large beyond 64 KiB.
base::Result<Incoming> decode(std::string_view text);

/// The fast way for `media` in exactly the shape Twilio writes it; no allocation once `out`'s texts have grown. False,
/// with `out` unspecified, for everything else: then ask `decode`, which agrees with this on all it accepts.
bool decode_usual_media(std::string_view text, Media& out);

/// `decode` without the fast way: what that is compared with in tests and benchmarks.
base::Result<Incoming> decode_generally(std::string_view text);

/// The encoders replace the content of `out`, whose memory is reused. `stream` is the start's.
void encode_media(std::string& out, base::StreamSid const& stream, std::span<std::uint8_t const> mulaw);
void encode_mark(std::string& out, base::StreamSid const& stream, std::string_view name);
void encode_clear(std::string& out, base::StreamSid const& stream);

}  // namespace gateway::twilio
