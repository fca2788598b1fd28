#include "loadtest/sim/twilio/message.h"

#include <fmt/format.h>

#include <initializer_list>
#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"

namespace sim::twilio {
namespace {

using Json = nlohmann::json;

std::unexpected<Violation> invalid(std::string what) {
  return std::unexpected{Violation{31951, std::move(what)}};
}

bool has_exactly(Json const& object, std::initializer_list<char const*> members) {
  if (!object.is_object() || object.size() != members.size()) return false;
  for (auto const* member : members)
    if (!object.contains(member)) return false;
  return true;
}

std::expected<GatewayMessage, Violation> decode_payload(std::string_view base64) {
  MediaMessage media;
  media.mulaw.resize(base::base64_decoded_bound(base64.size()));
  auto const size = base::decode_base64(base64, media.mulaw);
  if (!size) return invalid("media.payload is not base64");
  media.mulaw.resize(*size);
  return media;
}

/// The shape nearly every message has, read without building a tree: a load test decodes 50 of these a second and call.
std::string_view payload_of_plain_media(std::string_view text, std::string_view stream_sid) {
  static constexpr std::string_view head = R"({"event":"media","streamSid":")";
  static constexpr std::string_view middle = R"(","media":{"payload":")";
  static constexpr std::string_view tail = R"("}})";
  auto const prefix = head.size() + stream_sid.size() + middle.size();
  bool const plausible = text.size() > prefix + tail.size() && text.starts_with(head) && text.ends_with(tail) &&
                         text.substr(head.size(), stream_sid.size()) == stream_sid &&
                         text.substr(head.size() + stream_sid.size(), middle.size()) == middle;
  if (!plausible) return {};
  auto const payload = text.substr(prefix, text.size() - prefix - tail.size());
  return payload.find_first_of("\"\\") == std::string_view::npos ? payload : std::string_view{};
}

}  // namespace

std::string encode_connected() {
  return R"({"event":"connected","protocol":"Call","version":"1.0.0"})";
}

std::string encode_start(StreamIdentity const& id, std::uint64_t sequence, Parameters const& custom) {
  Json parameters = Json::object();
  for (auto const& [name, value] : custom) parameters[name] = value;
  return fmt::format(
      R"({{"event":"start","sequenceNumber":"{}","start":{{"accountSid":"{}","streamSid":"{}","callSid":"{}",)"
      R"("tracks":["inbound"],"mediaFormat":{{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},)"
      R"("customParameters":{}}},"streamSid":"{}"}})",
      sequence, id.account_sid, id.stream_sid, id.call_sid,
      parameters.dump(-1, ' ', false, Json::error_handler_t::replace), id.stream_sid);
}

void encode_media(std::string& out, StreamIdentity const& id, std::uint64_t sequence, std::uint64_t chunk,
                  std::int64_t timestamp_ms, std::span<std::uint8_t const> mulaw) {
  out.clear();
  fmt::format_to(std::back_inserter(out),
                 R"({{"event":"media","sequenceNumber":"{}","media":{{"track":"inbound","chunk":"{}","timestamp":"{}",)"
                 R"("payload":")",
                 sequence, chunk, timestamp_ms);
  base::append_base64(out, mulaw);
  out.append(R"("},"streamSid":")").append(id.stream_sid).append(R"("})");
}

std::string encode_dtmf(StreamIdentity const& id, std::uint64_t sequence, char digit) {
  return fmt::format(
      R"({{"event":"dtmf","streamSid":"{}","sequenceNumber":"{}","dtmf":{{"track":"inbound_track","digit":"{}"}}}})",
      id.stream_sid, sequence, digit);
}

std::string encode_mark(StreamIdentity const& id, std::uint64_t sequence, std::string_view name) {
  return fmt::format(R"({{"event":"mark","sequenceNumber":"{}","streamSid":"{}","mark":{{"name":{}}}}})", sequence,
                     id.stream_sid, Json(name).dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string encode_stop(StreamIdentity const& id, std::uint64_t sequence) {
  return fmt::format(
      R"({{"event":"stop","sequenceNumber":"{}","stop":{{"accountSid":"{}","callSid":"{}"}},"streamSid":"{}"}})",
      sequence, id.account_sid, id.call_sid, id.stream_sid);
}

std::expected<GatewayMessage, Violation> decode_from_gateway(std::string_view text, std::string_view stream_sid) {
  if (auto const payload = payload_of_plain_media(text, stream_sid); !payload.empty()) return decode_payload(payload);
  auto const json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return invalid("message is not a JSON object");
  auto const event = json.contains("event") && json["event"].is_string() ? json["event"].get<std::string>() : "";
  if (event != "media" && event != "mark" && event != "clear") return invalid("event is not media, mark or clear");
  if (!json.contains("streamSid") || json["streamSid"] != stream_sid)
    return invalid(event + ": streamSid is not this stream's");
  if (event == "clear") {
    if (!has_exactly(json, {"event", "streamSid"})) return invalid("clear: extra members");
    return ClearMessage{};
  }
  if (!has_exactly(json, {"event", "streamSid", event.c_str()})) return invalid(event + ": extra or missing members");
  auto const& inner = json[event];
  char const* const member = event == "media" ? "payload" : "name";
  if (!has_exactly(inner, {member}) || !inner[member].is_string())
    return invalid(event + ": its object must hold exactly the text " + member);
  if (event == "media") return decode_payload(inner[member].get_ref<std::string const&>());
  return MarkMessage{inner[member].get<std::string>()};
}

}  // namespace sim::twilio
