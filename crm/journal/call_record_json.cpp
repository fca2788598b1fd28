#include "crm/journal/call_record_json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "gateway/net/utf8.h"

namespace crm::journal {
namespace {

using base::Fault;
using nlohmann::json;

constexpr std::int64_t form = 1;

/// What is wrong, thrown to decode() only.
struct Wrong {
  char const* field;
};

/// Text from outside may be anything; what JSON cannot hold travels as {"hex": …}.
json text_json(std::string const& text) {
  if (net::is_utf8(text)) return text;
  return {{"hex", base::to_hex({reinterpret_cast<std::uint8_t const*>(text.data()), text.size()})}};
}

int nibble(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

std::string from_hex(std::string const& digits, char const* field) {
  if (digits.size() % 2 != 0) throw Wrong{field};
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    int const high = nibble(digits[i]);
    int const low = nibble(digits[i + 1]);
    if (high < 0 || low < 0) throw Wrong{field};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

/// The members of an object, all of which must be there.
class Members {
 public:
  explicit Members(json const& object, char const* what) : object_{object} {
    if (!object.is_object()) throw Wrong{what};
  }

  json const& at(char const* name) const {
    auto const found = object_.find(name);
    if (found == object_.end()) throw Wrong{name};
    return *found;
  }
  bool has(char const* name) const { return !at(name).is_null(); }

  std::string text(char const* name) const {
    auto const& value = at(name);
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_object() || value.size() != 1) throw Wrong{name};
    auto const hex = value.find("hex");
    if (hex == value.end() || !hex->is_string()) throw Wrong{name};
    return from_hex(hex->get_ref<std::string const&>(), name);
  }
  std::int64_t number(char const* name) const {
    auto const& value = at(name);
    if (value.is_number_unsigned() &&
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw Wrong{name};
    if (!value.is_number_integer()) throw Wrong{name};
    return value.get<std::int64_t>();
  }
  int small_number(char const* name) const {
    auto const value = number(name);
    if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) throw Wrong{name};
    return static_cast<int>(value);
  }
  bool yes_or_no(char const* name) const {
    if (!at(name).is_boolean()) throw Wrong{name};
    return at(name).get<bool>();
  }
  Wall time(char const* name) const { return Wall{std::chrono::nanoseconds{number(name)}}; }
  /// Empty also when it is missing: records of an earlier version of this program had none.
  json list_or_empty(char const* name) const { return object_.contains(name) ? list(name) : json::array(); }
  json const& list(char const* name) const {
    if (!at(name).is_array()) throw Wrong{name};
    return at(name);
  }

  std::optional<std::string> text_if_any(char const* name) const {
    return has(name) ? std::optional{text(name)} : std::nullopt;
  }
  std::optional<std::int64_t> number_if_any(char const* name) const {
    return has(name) ? std::optional{number(name)} : std::nullopt;
  }
  std::optional<Wall> time_if_any(char const* name) const {
    return has(name) ? std::optional{time(name)} : std::nullopt;
  }

  template <class T>
  T must(std::optional<T> const& value, char const* name) const {
    if (!value) throw Wrong{name};
    return *value;
  }

 private:
  json const& object_;
};

std::int64_t count(Wall when) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}

json optional(std::optional<std::int64_t> const& value) {
  return value ? json(*value) : json(nullptr);
}
json optional(std::optional<Wall> const& value) {
  return value ? json(count(*value)) : json(nullptr);
}
json optional(std::optional<std::string> const& value) {
  return value ? text_json(*value) : json(nullptr);
}

json to_json(CallTurn const& turn) {
  return {{"role", to_string(turn.role)},
          {"event_id", optional(turn.event_id)},
          {"said", text_json(turn.said)},
          {"heard", text_json(turn.heard)},
          {"interrupted", turn.interrupted},
          {"started_ms", turn.started_ms},
          {"generated_ms", optional(turn.generated_ms)},
          {"sent_ms", optional(turn.sent_ms)},
          {"heard_ms", optional(turn.heard_ms)}};
}

CallTurn to_turn(json const& object) {
  Members const turn{object, "turns"};
  auto const role = turn.text("role");
  if (role != to_string(Speaker::agent) && role != to_string(Speaker::caller)) throw Wrong{"role"};
  return CallTurn{.role = role == to_string(Speaker::caller) ? Speaker::caller : Speaker::agent,
                  .event_id = turn.number_if_any("event_id"),
                  .said = turn.text("said"),
                  .heard = turn.text("heard"),
                  .interrupted = turn.yes_or_no("interrupted"),
                  .started_ms = turn.number("started_ms"),
                  .generated_ms = turn.number_if_any("generated_ms"),
                  .sent_ms = turn.number_if_any("sent_ms"),
                  .heard_ms = turn.number_if_any("heard_ms")};
}

json to_json(CallToolCall const& call) {
  return {{"id", text_json(call.tool_call_id)},
          {"name", text_json(call.name)},
          {"parameters", text_json(call.parameters_json)},
          {"result", text_json(call.result_json)},
          {"is_error", call.is_error},
          {"started_ms", call.started_ms},
          {"took_ms", call.took_ms}};
}

CallToolCall to_tool_call(json const& object) {
  Members const call{object, "tool_calls"};
  return CallToolCall{.tool_call_id = call.text("id"),
                      .name = call.text("name"),
                      .parameters_json = call.text("parameters"),
                      .result_json = call.text("result"),
                      .is_error = call.yes_or_no("is_error"),
                      .started_ms = call.number("started_ms"),
                      .took_ms = call.number("took_ms")};
}

CallDirection direction_from(std::string const& text) {
  for (auto const direction : {CallDirection::inbound, CallDirection::outbound})
    if (to_string(direction) == text) return direction;
  throw Wrong{"direction"};
}

CallRecord to_call(Members const& object) {
  CallRecord call;
  call.id = base::CallId{object.text("id")};
  call.tenant = base::TenantId{object.text("tenant")};
  call.agent = base::AgentId{object.text("agent")};
  call.call_sid = base::CallSid{object.text("call_sid")};
  call.account_sid = base::AccountSid{object.text("account_sid")};
  call.direction = direction_from(object.text("direction"));
  call.from = object.text("from");
  call.to = object.text("to");
  call.status = object.must(call_status_from(object.text("status")), "status");
  call.node = object.text("node");
  call.node_epoch = object.number("node_epoch");
  call.started_at = object.time("started_at");
  call.answered_at = object.time_if_any("answered_at");
  call.ended_at = object.time_if_any("ended_at");
  call.duration_ms = object.number_if_any("duration_ms");
  call.ending = object.text_if_any("ending");
  if (object.has("blame")) call.blame = object.must(blame_from(object.text("blame")), "blame");
  call.conversation_id = object.text_if_any("conversation_id");
  call.recording_path = object.text_if_any("recording_path");
  call.stream_count = object.small_number("stream_count");
  call.resumed = object.small_number("resumed");
  call.version = object.number("version");
  for (auto const& turn : object.list("turns")) call.turns.push_back(to_turn(turn));
  for (auto const& each : object.list("events")) {
    Members const event{each, "events"};
    call.events.push_back({event.time("at"), event.text("kind"), event.text("detail")});
  }
  for (auto const& each : object.list_or_empty("tool_calls")) call.tool_calls.push_back(to_tool_call(each));
  return call;
}

}  // namespace

std::string encode(CallRecord const& call) {
  json object{{"form", form},
              {"id", text_json(call.id.text())},
              {"tenant", text_json(call.tenant.text())},
              {"agent", text_json(call.agent.text())},
              {"call_sid", text_json(call.call_sid.text())},
              {"account_sid", text_json(call.account_sid.text())},
              {"direction", to_string(call.direction)},
              {"from", text_json(call.from)},
              {"to", text_json(call.to)},
              {"status", to_string(call.status)},
              {"node", text_json(call.node)},
              {"node_epoch", call.node_epoch},
              {"started_at", count(call.started_at)},
              {"answered_at", optional(call.answered_at)},
              {"ended_at", optional(call.ended_at)},
              {"duration_ms", optional(call.duration_ms)},
              {"ending", optional(call.ending)},
              {"blame", nullptr},
              {"conversation_id", optional(call.conversation_id)},
              {"recording_path", optional(call.recording_path)},
              {"stream_count", call.stream_count},
              {"resumed", call.resumed},
              {"version", call.version},
              {"turns", json::array()},
              {"events", json::array()},
              {"tool_calls", json::array()}};
  if (call.blame) object["blame"] = to_string(*call.blame);
  for (auto const& turn : call.turns) object["turns"].push_back(to_json(turn));
  for (auto const& tool_call : call.tool_calls) object["tool_calls"].push_back(to_json(tool_call));
  for (auto const& event : call.events) {
    object["events"].push_back(
        {{"at", count(event.at)}, {"kind", text_json(event.kind)}, {"detail", text_json(event.detail_json)}});
  }
  return object.dump();
}

base::Result<CallRecord> decode(std::string_view text) {
  auto const parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    Members const object{parsed, "call record"};
    if (object.number("form") != form) throw Wrong{"form"};
    return to_call(object);
  } catch (Wrong const& wrong) {
    return base::fail(Fault::protocol, std::string{"journalled call record: wrong or missing: "} + wrong.field);
  }
}

}  // namespace crm::journal
