#include "gateway/twilio/stream_message.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "gateway/base/base64.h"

namespace gateway::twilio {
namespace {

using Json = nlohmann::json;
using base::Fault;

constexpr int max_depth = 64;
/// Far above any sequence or time that a call can reach, and safe to turn into a signed number.
constexpr std::uint64_t max_number = 1'000'000'000'000'000;

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const complete = error == std::errc{} && end == text.data() + text.size();
  if (!complete || value > max_number) return std::nullopt;
  return value;
}

std::optional<Track> track_from(std::string_view text) {
  if (text == "inbound") return Track::inbound;
  if (text == "outbound") return Track::outbound;
  return std::nullopt;
}

bool read_payload(std::string_view base64, std::string& out) {
  out.resize(base::base64_decoded_bound(base64.size()));
  auto const bytes = base::decode_base64(base64, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  if (!bytes) return false;
  out.resize(*bytes);
  return true;
}

void assign(base::StreamSid& sid, std::string_view text) {
  if (sid.text() != text) sid = base::StreamSid{std::string{text}};
}

/// One JSON object while it is being read; remembers the first disappointment, so that a decoder reads like a table.
class Reader {
 public:
  explicit Reader(Json const& object) : object_{object} {}

  Json const* member(char const* name) const {
    auto const found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  /// The text of a member; empty when it is missing.
  std::string text(char const* name) {
    auto const* value = member(name);
    if (value == nullptr) return {};
    if (!value->is_string()) return complain(std::string{name} + " is not a text"), std::string{};
    return value->get_ref<std::string const&>();
  }

  std::string required_text(char const* name) {
    if (member(name) == nullptr) complain(std::string{name} + " is missing");
    return text(name);
  }

  /// A number or its decimal text; 0 when it is missing.
  std::uint64_t number(char const* name) {
    auto const* value = member(name);
    if (value == nullptr) return 0;
    std::optional<std::uint64_t> result;
    if (value->is_number_unsigned()) result = value->get<std::uint64_t>();
    if (value->is_string()) result = number_from(value->get_ref<std::string const&>());
    if (!result || *result > max_number) complain(std::string{name} + " is not a number");
    return result.value_or(0);
  }

  template <class Id>
  Id sid(char const* name, std::string_view prefix) {
    auto value = text(name);
    if (value.empty()) return Id{};
    if (!base::is_twilio_sid(value, prefix)) complain(std::string{name} + " is malformed");
    return Id{std::move(value)};
  }

  template <class Id>
  Id required_sid(char const* name, std::string_view prefix) {
    auto value = sid<Id>(name, prefix);
    if (value.empty()) complain(std::string{name} + " is missing");
    return value;
  }

  /// A member that must be an object; complains and reads as empty otherwise.
  Reader object(char const* name) {
    static Json const nothing = Json::object();
    auto const* value = member(name);
    if (value != nullptr && value->is_object()) return Reader{*value};
    complain(std::string{name} + " is not an object");
    return Reader{nothing};
  }

  Json const& json() const { return object_; }
  std::optional<std::string> const& complaint() const { return complaint_; }
  void complain(std::string what) {
    if (!complaint_) complaint_ = std::move(what);
  }

 private:
  Json const& object_;
  std::optional<std::string> complaint_;
};

base::Result<Incoming> unless_wrong(Incoming message, Reader const& outer, Reader const& inner) {
  if (outer.complaint()) return base::fail(Fault::protocol, "stream message: " + *outer.complaint());
  if (inner.complaint()) return base::fail(Fault::protocol, "stream message: " + *inner.complaint());
  return message;
}

void check_format(Reader& start) {
  auto format = start.object("mediaFormat");
  bool const is_ours = format.text("encoding") == "audio/x-mulaw" && format.number("sampleRate") == 8000 &&
                       format.number("channels") == 1;
  if (!is_ours || format.complaint()) start.complain("mediaFormat is not audio/x-mulaw, 8000 Hz, mono");
}

base::Result<Incoming> decode_start(Reader outer) {
  auto inner = outer.object("start");
  Start start{.sequence = outer.number("sequenceNumber"),
              .stream_sid = inner.required_sid<base::StreamSid>("streamSid", "MZ"),
              .call_sid = inner.required_sid<base::CallSid>("callSid", "CA"),
              .account_sid = inner.required_sid<base::AccountSid>("accountSid", "AC")};
  auto const repeated = outer.sid<base::StreamSid>("streamSid", "MZ");
  if (!repeated.empty() && repeated != start.stream_sid) inner.complain("two different streamSids");
  check_format(inner);
  if (auto const* parameters = inner.member("customParameters"); parameters != nullptr && parameters->is_object()) {
    for (auto const& [name, value] : parameters->items()) {
      if (value.is_string()) start.custom_parameters.emplace_back(name, value.get_ref<std::string const&>());
    }
  }
  return unless_wrong(std::move(start), outer, inner);
}

base::Result<Incoming> decode_media(Reader outer) {
  auto inner = outer.object("media");
  Media media{.sequence = outer.number("sequenceNumber"),
              .chunk = inner.number("chunk"),
              .timestamp = std::chrono::milliseconds{inner.number("timestamp")},
              .stream_sid = outer.sid<base::StreamSid>("streamSid", "MZ")};
  if (inner.member("track") != nullptr) {
    auto const track = track_from(inner.text("track"));
    if (!track) inner.complain("track is neither inbound nor outbound");
    media.track = track.value_or(Track::inbound);
  }
  if (!read_payload(inner.required_text("payload"), media.payload)) inner.complain("payload is not base64");
  return unless_wrong(std::move(media), outer, inner);
}

base::Result<Incoming> decode_dtmf(Reader outer) {
  static constexpr std::string_view keys = "0123456789*#ABCD";
  auto inner = outer.object("dtmf");
  auto const digit = inner.required_text("digit");
  if (digit.size() != 1 || !keys.contains(digit[0])) inner.complain("digit is not a key");
  return unless_wrong(Dtmf{.sequence = outer.number("sequenceNumber"),
                           .stream_sid = outer.sid<base::StreamSid>("streamSid", "MZ"),
                           .digit = digit.empty() ? '0' : digit[0]},
                      outer, inner);
}

base::Result<Incoming> decode_mark(Reader outer) {
  auto inner = outer.object("mark");
  Mark mark{.sequence = outer.number("sequenceNumber"),
            .stream_sid = outer.sid<base::StreamSid>("streamSid", "MZ"),
            .name = inner.required_text("name")};
  return unless_wrong(std::move(mark), outer, inner);
}

base::Result<Incoming> decode_stop(Reader outer) {
  // The end is the end, with or without its details.
  static Json const nothing = Json::object();
  auto const* details = outer.member("stop");
  Reader inner{details != nullptr && details->is_object() ? *details : nothing};
  Stop stop{.sequence = outer.number("sequenceNumber"),
            .stream_sid = outer.sid<base::StreamSid>("streamSid", "MZ"),
            .call_sid = inner.sid<base::CallSid>("callSid", "CA")};
  return unless_wrong(std::move(stop), outer, inner);
}

base::Result<Json> parse(std::string_view text) {
  if (text.size() > max_stream_message_bytes) return base::fail(Fault::too_large, "stream message is over 64 KiB");
  bool too_deep = false;
  auto const watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > max_depth;
    return !too_deep;
  };
  auto json = Json::parse(text, watch_depth, /*allow_exceptions=*/false);
  if (too_deep) return base::fail(Fault::protocol, "stream message is nested too deep");
  if (!json.is_object()) return base::fail(Fault::protocol, "stream message is not a JSON object");
  return json;
}

/// Walks along a text of which every piece is known.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_{text} {}

  bool skip(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  /// Up to the next quote, which is skipped. A backslash or control character within is left to the general parser: the
  /// readers of these texts accept neither.
  std::optional<std::string_view> text() {
    auto const quote = rest_.find('"');
    if (quote == rest_.npos) return std::nullopt;
    auto const found = rest_.substr(0, quote);
    rest_.remove_prefix(quote + 1);
    return found;
  }

  std::optional<std::uint64_t> number() {
    auto const digits = text();
    if (!digits) return std::nullopt;
    return number_from(*digits);
  }

  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

void append_text(std::string& out, std::string_view text) {
  out += Json(text).dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

void begin(std::string& out, std::string_view event, base::StreamSid const& stream) {
  out.assign(R"({"event":")").append(event).append(R"(","streamSid":")").append(stream.text()).append("\"");
}

}  // namespace

std::string_view Start::parameter(std::string_view name) const {
  for (auto const& [key, value] : custom_parameters) {
    if (key == name) return value;
  }
  return {};
}

base::Result<Incoming> decode_generally(std::string_view text) {
  auto const json = parse(text);
  if (!json) return std::unexpected{json.error()};
  Reader outer{*json};
  auto const event = outer.required_text("event");
  if (outer.complaint()) return base::fail(Fault::protocol, "stream message: " + *outer.complaint());
  if (event == "media") return decode_media(outer);
  if (event == "mark") return decode_mark(outer);
  if (event == "dtmf") return decode_dtmf(outer);
  if (event == "start") return decode_start(outer);
  if (event == "stop") return decode_stop(outer);
  if (event == "connected") {
    auto protocol = outer.text("protocol");
    return unless_wrong(Connected{.protocol = std::move(protocol), .version = outer.text("version")}, outer, outer);
  }
  return Incoming{Unknown{event.substr(0, 64)}};
}

bool decode_usual_media(std::string_view text, Media& out) {
  if (text.size() > max_stream_message_bytes) return false;
  Scanner scanner{text};
  if (!scanner.skip(R"({"event":"media","sequenceNumber":")")) return false;
  auto const sequence = scanner.number();
  if (!sequence || !scanner.skip(R"(,"media":{"track":")")) return false;
  auto const track_text = scanner.text();
  auto const track = track_from(track_text.value_or(""));
  if (!track || !scanner.skip(R"(,"chunk":")")) return false;
  auto const chunk = scanner.number();
  if (!chunk || !scanner.skip(R"(,"timestamp":")")) return false;
  auto const timestamp = scanner.number();
  if (!timestamp || !scanner.skip(R"(,"payload":")")) return false;
  auto const payload = scanner.text();
  if (!payload || !scanner.skip(R"(},"streamSid":")")) return false;
  auto const stream_sid = scanner.text();
  if (!stream_sid || !scanner.skip("}") || !scanner.at_end()) return false;
  // The last message's stream is this one's, as a rule.
  bool const is_sid = *stream_sid == out.stream_sid.text() || base::is_twilio_sid(*stream_sid, "MZ");
  if (!is_sid || !read_payload(*payload, out.payload)) return false;
  out.sequence = *sequence;
  out.chunk = *chunk;
  out.timestamp = std::chrono::milliseconds{*timestamp};
  out.track = *track;
  assign(out.stream_sid, *stream_sid);
  return true;
}

base::Result<Incoming> decode(std::string_view text) {
  Media media;
  if (decode_usual_media(text, media)) return Incoming{std::move(media)};
  return decode_generally(text);
}

void encode_media(std::string& out, base::StreamSid const& stream, std::span<std::uint8_t const> mulaw) {
  begin(out, "media", stream);
  out += R"(,"media":{"payload":")";
  base::append_base64(out, mulaw);
  out += "\"}}";
}

void encode_mark(std::string& out, base::StreamSid const& stream, std::string_view name) {
  begin(out, "mark", stream);
  out += R"(,"mark":{"name":)";
  append_text(out, name);
  out += "}}";
}

void encode_clear(std::string& out, base::StreamSid const& stream) {
  begin(out, "clear", stream);
  out += '}';
}

}  // namespace gateway::twilio
