#include "loadtest/sim/twilio/plan_json.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>

namespace sim::twilio {
namespace {

using Json = nlohmann::json;

/// Thrown inside this file only, while walking a document.
struct Unfit {
  std::string what;
};

using Setters = std::map<std::string, std::function<void(Json const&)>, std::less<>>;

void read_members(Json const& json, Setters const& setters) {
  if (!json.is_object()) throw Unfit{"an object is expected"};
  for (auto const& [name, value] : json.items()) {
    auto const found = setters.find(name);
    if (found == setters.end()) throw Unfit{"unknown member \"" + name + "\""};
    try {
      found->second(value);
    } catch (Json::exception const&) {
      throw Unfit{"member \"" + name + "\" has the wrong type"};
    }
  }
}

template <class T>
auto into(T& target) {
  return [&target](Json const& value) { target = value.get<T>(); };
}

auto ms_into(Millis& target) {
  return [&target](Json const& value) { target = Millis{value.get<std::int64_t>()}; };
}

auto ms_into(std::optional<Millis>& target) {
  return [&target](Json const& value) { target = Millis{value.get<std::int64_t>()}; };
}

template <class E>
auto choice_into(E& target, std::initializer_list<std::pair<std::string_view, E>> choices) {
  return [&target, table = std::vector(choices)](Json const& value) {
    for (auto const& [name, choice] : table)
      if (value == name) return void(target = choice);
    throw Unfit{"\"" + value.dump() + "\" is no choice"};
  };
}

auto interval_into(std::optional<Interval>& target) {
  return [&target](Json const& value) {
    Interval interval;
    read_members(value, {{"at_ms", ms_into(interval.at)}, {"length_ms", ms_into(interval.length)}});
    target = interval;
  };
}

auto speech_into(Mulaw& target) {
  return [&target](Json const& value) {
    auto const path = value.get<std::string>();
    target.clear();
    if (path.empty()) return;
    auto loaded = load_speech(path);
    if (!loaded) throw Unfit{"cannot use " + path + ": " + loaded.error().detail};
    target = std::move(*loaded);
  };
}

auto signing_into(Signing& target) {
  return choice_into<Signing>(target, {{"correct", Signing::correct},
                                       {"none", Signing::none},
                                       {"wrong_token", Signing::wrong_token},
                                       {"https_scheme", Signing::https_scheme},
                                       {"trailing_slash", Signing::trailing_slash}});
}

Setters setters_of(CallPlan& plan) {
  auto& caller = plan.caller;
  auto& callee = plan.callee;
  auto& callbacks = plan.callbacks;
  return {
      {"from", into(plan.from)},
      {"to", into(plan.to)},
      {"voice_url", into(plan.voice_url)},
      {"voice_method", into(plan.voice_method)},
      {"fallback_url", into(plan.fallback_url)},
      {"fallback_method", into(plan.fallback_method)},
      {"status_callback", into(plan.status_callback)},
      {"status_callback_method", into(plan.status_callback_method)},
      {"public_base", into(plan.public_base)},
      {"allow_plain_loopback", into(plan.allow_plain_loopback)},
      {"keep_audio", into(plan.keep_audio)},
      {"gathers", into(plan.gathers)},
      {"ring_for_ms", ms_into(plan.ring_for)},
      {"record_speaks_for_ms", ms_into(plan.record_speaks_for)},
      {"say_per_character_ms", ms_into(plan.say_per_character)},
      {"webhook_signing", signing_into(plan.webhook_signing)},
      {"stream_signing", signing_into(plan.stream_signing)},
      {"wav", speech_into(caller.speech)},
      {"speech_at_ms", ms_into(caller.speech_at)},
      {"speech_repeats", into(caller.speech_repeats)},
      {"barge_in_at_ms", ms_into(caller.barge_in_at)},
      {"barge_in_wav", speech_into(caller.barge_in_speech)},
      {"dtmf", into(caller.dtmf)},
      {"dtmf_at_ms", ms_into(caller.dtmf_at)},
      {"dtmf_gap_ms", ms_into(caller.dtmf_gap)},
      {"hang_up_after_ms", ms_into(caller.hang_up_after)},
      {"hang_up_after_quiet_ms", ms_into(caller.hang_up_after_quiet)},
      {"hang_up_after_agent_turns", into(caller.hang_up_after_agent_turns)},
      {"drop_tcp_after_ms", ms_into(caller.drop_tcp_after)},
      {"seed", into(caller.seed)},
      {"stall", interval_into(caller.stall)},
      {"stop_reading", interval_into(caller.stop_reading)},
      {"pacing",
       choice_into<Pacing>(caller.pacing,
                           {{"steady", Pacing::steady}, {"jitter", Pacing::jitter}, {"bursts", Pacing::bursts}})},
      {"callee",
       [&callee](Json const& value) {
         read_members(value,
                      {{"answer", choice_into<CalleeAnswer>(callee.answer, {{"answered", CalleeAnswer::answered},
                                                                            {"busy", CalleeAnswer::busy},
                                                                            {"no-answer", CalleeAnswer::no_answer},
                                                                            {"failed", CalleeAnswer::failed}})},
                       {"ring_for_ms", ms_into(callee.ring_for)},
                       {"talk_for_ms", ms_into(callee.talk_for)}});
       }},
      {"callbacks",
       [&callbacks](Json const& value) {
         read_members(value, {{"duplicated", into(callbacks.duplicated)},
                              {"reordered", into(callbacks.reordered)},
                              {"late_by_ms", ms_into(callbacks.late_by)}});
       }},
  };
}

Json json_of(Spread const& spread) {
  return {{"count", spread.count}, {"p50_ms", spread.p50}, {"p99_ms", spread.p99}, {"max_ms", spread.max}};
}

template <class T>
Json or_null(std::optional<T> const& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(StreamReport const& report) {
  return {{"stream_sid", report.stream_sid},
          {"end", to_string(report.end)},
          {"close_code", report.close_code},
          {"connect_ms", report.connect_ms},
          {"first_audio_ms", or_null(report.first_audio_ms)},
          {"barge_in_to_clear_ms", or_null(report.barge_in_ms)},
          {"clear_to_silence_ms", report.clear_to_silence_ms},
          {"frames_sent", report.frames_sent},
          {"frames_lost", report.frames_lost},
          {"messages", report.messages},
          {"media_messages", report.media_messages},
          {"media_bytes", report.media_bytes},
          {"smallest_media_bytes", report.smallest_media},
          {"largest_media_bytes", report.largest_media},
          {"marks", report.marks},
          {"marks_echoed", report.marks_echoed},
          {"clears", report.clears},
          {"underruns", report.underruns},
          {"agent_turns", report.agent_turns},
          {"most_queued_bytes", report.most_queued_bytes},
          {"arrival_lateness", json_of(report.arrival_lateness)},
          {"send_lateness", json_of(report.send_lateness)}};
}

std::string dump(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

base::Result<CallPlan> plan_from_json(std::string_view text) {
  auto const json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return base::fail(base::Fault::protocol, "not JSON");
  CallPlan plan;
  try {
    read_members(json, setters_of(plan));
    if (!json.contains("wav")) plan.caller.speech = default_speech();
    if (plan.caller.barge_in_at && plan.caller.barge_in_speech.empty())
      plan.caller.barge_in_speech = plan.caller.speech;
  } catch (Unfit const& unfit) {
    return base::fail(base::Fault::protocol, unfit.what);
  }
  return plan;
}

base::Result<RestFault> fault_from_json(std::string_view text) {
  auto const json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return base::fail(base::Fault::protocol, "not JSON");
  RestFault fault;
  try {
    read_members(json, {{"status", into(fault.status)},
                        {"times", into(fault.times)},
                        {"path", into(fault.path)},
                        {"code", into(fault.code)},
                        {"keeps", into(fault.keeps)},
                        {"drops", into(fault.drops)},
                        {"delay_ms", ms_into(fault.delay)}});
  } catch (Unfit const& unfit) {
    return base::fail(base::Fault::protocol, unfit.what);
  }
  if (fault.times == 0) return base::fail(base::Fault::protocol, "\"times\" must be at least 1");
  return fault;
}

std::string to_json(Event const& event) {
  return dump({{"at_ms", static_cast<double>(event.at.count()) / 1000},
               {"kind", to_string(event.kind)},
               {"detail", event.detail},
               {"ms", event.ms},
               {"line", to_line(event)}});
}

std::string to_json(CallResult const& result) {
  Json violations = Json::array();
  for (auto const& violation : result.violations)
    violations.push_back({{"code", violation.code}, {"what", violation.what}});
  Json streams = Json::array();
  for (auto const& stream : result.streams) streams.push_back(json_of(stream));
  return dump({{"call_sid", result.call_sid},
               {"ending", to_string(result.ending)},
               {"status", to_string(result.status)},
               {"clean", result.clean()},
               {"lasted_ms", result.lasted.count()},
               {"webhook_ms", or_null(result.webhook_ms)},
               {"said", result.said},
               {"violations", violations},
               {"streams", streams}});
}

}  // namespace sim::twilio
