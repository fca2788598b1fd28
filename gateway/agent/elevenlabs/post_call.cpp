#include "gateway/agent/elevenlabs/post_call.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "crm/pg/storable_text.h"

namespace gateway::elevenlabs {
namespace {

using Json = nlohmann::json;

constexpr int max_nesting = 64;
constexpr std::size_t max_entries = 100;
constexpr std::size_t max_quarantine = 50;
constexpr std::size_t id_bytes = 100;
constexpr std::size_t summary_bytes = 8 * 1024;
constexpr std::size_t rationale_bytes = 2 * 1024;
constexpr std::size_t value_bytes = 8 * 1024;
constexpr std::size_t column_bytes = 200 * 1024;
constexpr std::size_t turn_bytes = 8 * 1024;
constexpr std::size_t max_turns = 2000;
constexpr std::int64_t latest_unix = 4'102'444'800;  // 2100-01-01: clocks here and PostgreSQL take no number sent
constexpr auto longest_call = std::chrono::hours{24};

constexpr std::array<std::string_view, 3> verdicts{"success", "failure", "unknown"};
constexpr std::array<std::string_view, 5> statuses{"initiated", "in-progress", "processing", "done", "failed"};

std::optional<unsigned> hex_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  auto const* const end = text.data() + at + 6;
  auto const [stop, error] = std::from_chars(text.data() + at + 2, end, unit, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return unit;
}

/// Half a character, as a text has that was cut in the middle of one, is no JSON; nor are bytes that are no UTF-8. One
/// such place may not cost a whole summary.
std::string repaired(std::string_view given) {
  auto text = crm::pg::storable_text(given);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') continue;
    auto const unit = hex_unit(text, i);
    bool const is_half = unit && (*unit & 0xF800U) == 0xD800U;
    auto const next = is_half ? hex_unit(text, i + 6) : std::nullopt;
    bool const is_pair = is_half && *unit < 0xDC00U && next && (*next & 0xFC00U) == 0xDC00U;
    if (is_half && !is_pair) text.replace(i + 2, 4, "fffd");
    i += is_pair ? 11 : unit ? 5 : 1;
  }
  return text;
}

Json parse_shallow(std::string_view text, bool& too_deep) {
  auto const watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > max_nesting;
    return !too_deep;  // what is deeper is dropped, not built
  };
  return Json::parse(text, watch_depth, /*allow_exceptions=*/false);
}

base::Result<Json> parse(std::string_view text) {
  bool too_deep = false;
  auto json = parse_shallow(text, too_deep);
  if (json.is_discarded() && !too_deep) json = parse_shallow(repaired(text), too_deep);
  if (too_deep || !json.is_object()) return base::fail(base::Fault::protocol, "not a JSON object of reasonable depth");
  return json;
}

/// Storable, and cut between characters.
std::string kept(std::string_view text, std::size_t most) {
  auto clean = crm::pg::storable_text(text.substr(0, most));
  auto size = std::min(clean.size(), most);
  while (size > 0 && size < clean.size() && (static_cast<unsigned char>(clean[size]) & 0xC0U) == 0x80U) --size;
  clean.resize(size);
  return clean;
}

/// PostgreSQL keeps no NUL, also not within JSON.
Json storable(Json const& value) {
  if (value.is_string()) return crm::pg::storable_text(value.get_ref<std::string const&>());
  if (!value.is_structured()) return value;
  auto copy = value.is_array() ? Json::array() : Json::object();
  for (auto const& [key, inner] : value.items()) {
    if (value.is_array())
      copy.push_back(storable(inner));
    else
      copy[crm::pg::storable_text(key)] = storable(inner);
  }
  return copy;
}

Json const* member(Json const& object, char const* key) {
  if (!object.is_object()) return nullptr;
  auto const found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// Reads fields of one conversation and writes down what is wrong with them.
class Reader {
 public:
  explicit Reader(PostCall& call) : call_{call} {}

  std::optional<std::string> text(Json const& object, char const* key, std::string const& path, std::size_t most) {
    auto const* value = member(object, key);
    if (!value) return std::nullopt;
    if (value->is_string()) return kept(value->get_ref<std::string const&>(), most);
    complain(path + key, "not a text");
    return std::nullopt;
  }

  template <std::size_t N>
  std::optional<std::string> one_of(std::array<std::string_view, N> const& words, Json const& object, char const* key,
                                    std::string const& path) {
    auto word = text(object, key, path, id_bytes);
    if (!word || std::ranges::find(words, *word) != words.end()) return word;
    complain(path + key, "not a word we know");
    return std::nullopt;
  }

  Json const* object(Json const& parent, char const* key, std::string const& path) {
    auto const* value = member(parent, key);
    if (!value || value->is_object()) return value;
    complain(path + key, "not an object");
    return nullptr;
  }

  void complain(std::string const& path, std::string_view why) {
    if (call_.quarantine.size() < max_quarantine) call_.quarantine.emplace(kept(path, 3 * id_bytes), why);
  }

 private:
  PostCall& call_;
};

/// How much of a column an entry takes.
std::size_t column_share(std::string const& id, std::string const& rationale, std::size_t value) {
  return Json(id).dump().size() + Json(rationale).dump().size() + value + 40;
}

/// The entries of an object of objects, as far as they are objects and not too many.
template <class Take>
void each_entry(Reader& reader, Json const& analysis, char const* key, Take take) {
  auto const path = "analysis." + std::string{key};
  auto const* entries = reader.object(analysis, key, "analysis.");
  if (!entries) return;
  if (entries->size() > max_entries) reader.complain(path, "too many entries");
  std::size_t count = 0;
  for (auto const& [id, entry] : entries->items()) {
    if (count++ == max_entries) return;
    auto const here = path + "." + kept(id, id_bytes);
    if (entry.is_object())
      take(kept(id, id_bytes), entry, here + ".");
    else
      reader.complain(here, "not an object");
  }
}

void read_evaluation(Reader& reader, Json const& analysis, PostCall& call) {
  std::size_t room = column_bytes;
  each_entry(reader, analysis, "evaluation_criteria_results",
             [&](std::string id, Json const& entry, std::string const& path) {
               auto result = reader.one_of(verdicts, entry, "result", path);
               if (!member(entry, "result")) reader.complain(path + "result", "missing");
               auto rationale = reader.text(entry, "rationale", path, rationale_bytes).value_or("");
               auto const share = column_share(id, rationale, verdicts[0].size());
               if (share > room) return reader.complain(path + "rationale", "too long beside the others");
               room -= share;
               call.evaluation.push_back({std::move(id), result.value_or("unknown"), std::move(rationale)});
             });
}

void read_collected(Reader& reader, Json const& analysis, PostCall& call) {
  std::size_t room = column_bytes;
  each_entry(reader, analysis, "data_collection_results",
             [&](std::string id, Json const& entry, std::string const& path) {
               auto const* value = member(entry, "value");
               auto json = value ? storable(*value).dump() : std::string{"null"};
               if (json.size() > value_bytes) return reader.complain(path + "value", "too long");
               auto rationale = reader.text(entry, "rationale", path, rationale_bytes).value_or("");
               auto const share = column_share(id, rationale, json.size());
               if (share > room) return reader.complain(path + "value", "too long beside the others");
               room -= share;
               call.collected.push_back({std::move(id), std::move(json), std::move(rationale)});
             });
}

void read_analysis(Reader& reader, Json const& data, PostCall& call) {
  auto const* analysis = reader.object(data, "analysis", "");
  if (!analysis) {
    if (call.status == "done" && !member(data, "analysis")) reader.complain("analysis", "missing");
    return;
  }
  call.summary = reader.text(*analysis, "transcript_summary", "analysis.", summary_bytes);
  if (!member(*analysis, "transcript_summary")) reader.complain("analysis.transcript_summary", "missing");
  call.title = reader.text(*analysis, "call_summary_title", "analysis.", 3 * id_bytes);
  call.call_successful = reader.one_of(verdicts, *analysis, "call_successful", "analysis.");
  read_evaluation(reader, *analysis, call);
  read_collected(reader, *analysis, call);
}

void read_metadata(Reader& reader, Json const& data, PostCall& call) {
  auto const* metadata = reader.object(data, "metadata", "");
  if (!metadata) return;
  call.termination_reason = reader.text(*metadata, "termination_reason", "metadata.", 3 * id_bytes).value_or("");
  if (auto const* phone = reader.object(*metadata, "phone_call", "metadata."))
    call.call_sid = reader.text(*phone, "call_sid", "metadata.phone_call.", id_bytes).value_or("");
  auto const* start = member(*metadata, "start_time_unix_secs");
  bool const is_time = start && start->is_number_integer();
  if (is_time) call.start_unix = std::clamp<std::int64_t>(start->get<std::int64_t>(), 0, latest_unix);
  if (start && !is_time) reader.complain("metadata.start_time_unix_secs", "not a time");
  auto const* duration = member(*metadata, "call_duration_secs");
  if (!duration) return;
  auto const seconds = duration->is_number() ? duration->get<double>() : -1.0;
  bool const plausible = seconds >= 0 && seconds <= std::chrono::duration<double>(longest_call).count();
  if (plausible)
    call.duration = std::chrono::seconds{static_cast<std::int64_t>(seconds)};
  else
    reader.complain("metadata.call_duration_secs", "not a plausible duration");
}

/// Nobody but a call that was lost needs it, so what is odd about it is left out without a complaint.
void read_transcript(Json const& data, PostCall& call) {
  auto const* turns = member(data, "transcript");
  if (!turns || !turns->is_array()) return;
  auto const text = [](Json const& turn, char const* key) {
    auto const* value = member(turn, key);
    return value && value->is_string() ? kept(value->get_ref<std::string const&>(), turn_bytes) : std::string{};
  };
  for (auto const& each : *turns) {
    if (call.transcript.size() == max_turns) return;
    auto const role = text(each, "role");
    SpokenTurn turn{role == "agent", text(each, "message"), text(each, "original_message")};
    if (turn.text.empty() || (!turn.by_agent && role != "user")) continue;
    auto const* interrupted = member(each, "interrupted");
    turn.interrupted = interrupted && interrupted->is_boolean() && interrupted->get<bool>();
    auto const* at = member(each, "time_in_call_secs");
    auto const seconds = at && at->is_number() ? at->get<double>() : 0.0;
    turn.at = std::chrono::seconds{static_cast<std::int64_t>(std::clamp(seconds, 0.0, 86'400.0))};
    call.transcript.push_back(std::move(turn));
  }
}

/// Our own dynamic variable is a second way to the call.
void read_our_variables(Reader& reader, Json const& data, PostCall& call) {
  std::string const path = "conversation_initiation_client_data.";
  auto const* initiation = reader.object(data, "conversation_initiation_client_data", "");
  auto const* variables = initiation ? reader.object(*initiation, "dynamic_variables", path) : nullptr;
  if (!variables) return;
  auto ours = reader.text(*variables, "call_sid", path + "dynamic_variables.", id_bytes);
  if (ours && !ours->empty()) call.call_sid = std::move(*ours);
}

PostCall read_data(Json const& data) {
  PostCall call;
  Reader reader{call};
  for (auto [key, into] :
       {std::pair{"conversation_id", &call.conversation_id}, std::pair{"agent_id", &call.agent_id}}) {
    *into = reader.text(data, key, "", id_bytes).value_or("");
    if (!member(data, key)) reader.complain(key, "missing");
  }
  call.status = reader.one_of(statuses, data, "status", "").value_or("");
  if (!member(data, "status")) reader.complain("status", "missing");
  read_metadata(reader, data, call);
  read_our_variables(reader, data, call);
  read_analysis(reader, data, call);
  read_transcript(data, call);
  return call;
}

}  // namespace

base::Result<PostCallEvent> read_post_call_event(std::string_view body) {
  auto const json = parse(body);
  if (!json) return std::unexpected{json.error()};
  auto const* type = member(*json, "type");
  if (!type || !type->is_string()) return base::fail(base::Fault::protocol, "no type");
  PostCallEvent event;
  event.type = kept(type->get_ref<std::string const&>(), id_bytes);
  auto const* when = member(*json, "event_timestamp");
  if (when && when->is_number_integer()) event.event_unix = when->get<std::int64_t>();
  auto const* data = member(*json, "data");
  if (!data || !data->is_object()) return event;
  auto const* id = member(*data, "conversation_id");
  if (id && id->is_string()) event.conversation_id = kept(id->get_ref<std::string const&>(), id_bytes);
  if (event.type != "post_call_transcription") return event;
  event.call = read_data(*data);
  event.call->event_unix = event.event_unix;
  return event;
}

base::Result<PostCall> read_conversation(std::string_view json) {
  auto const data = parse(json);
  if (!data) return std::unexpected{data.error()};
  return read_data(*data);
}

}  // namespace gateway::elevenlabs
