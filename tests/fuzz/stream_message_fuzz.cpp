// The fast and the general way must agree on every text that the fast one accepts, and what we write must read back.
#include <cstdlib>

#include "gateway/twilio/stream_message.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  namespace twilio = gateway::twilio;
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  auto const general = twilio::decode_generally(text);
  twilio::Media fast;
  if (twilio::decode_usual_media(text, fast)) {
    if (!general || !std::holds_alternative<twilio::Media>(*general)) std::abort();
    auto const& media = std::get<twilio::Media>(*general);
    bool const same = media.sequence == fast.sequence && media.chunk == fast.chunk &&
                      media.timestamp == fast.timestamp && media.track == fast.track &&
                      media.stream_sid == fast.stream_sid && media.payload == fast.payload;
    if (!same) std::abort();
  }
  if (general && std::holds_alternative<twilio::Mark>(*general)) {
    auto const& mark = std::get<twilio::Mark>(*general);
    std::string out;
    twilio::encode_mark(out, mark.stream_sid, mark.name);
    if (mark.stream_sid.empty() || out.size() > twilio::max_stream_message_bytes) return 0;
    auto const again = twilio::decode(out);
    if (!again || std::get<twilio::Mark>(*again).name != mark.name) std::abort();
  }
  return 0;
}
