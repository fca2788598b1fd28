// What each verb does to a call.
#include <fmt/format.h>

#include <algorithm>

#include "loadtest/sim/twilio/sim_call.h"
#include "media/frame.h"

namespace sim::twilio {

using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

base::Async<SimCall::Next> SimCall::perform(Page const& page, Verb const& verb) {
  // A call is answered by the first verb that has something for the caller to hear.
  bool const rings_on = std::holds_alternative<Reject>(verb) || std::holds_alternative<Redirect>(verb) ||
                        (std::holds_alternative<Dial>(verb) && std::get<Dial>(verb).answer_on_bridge);
  if (!rings_on) answer();
  if (auto const* say = std::get_if<Say>(&verb)) co_return co_await perform(page, *say);
  if (auto const* audio = std::get_if<Play>(&verb)) co_return co_await perform(page, *audio);
  if (auto const* pause = std::get_if<Pause>(&verb)) co_return co_await perform(page, *pause);
  if (auto const* connect = std::get_if<Connect>(&verb)) co_return co_await perform(page, *connect);
  if (auto const* dial = std::get_if<Dial>(&verb)) co_return co_await perform(page, *dial);
  if (auto const* record = std::get_if<Record>(&verb)) co_return co_await perform(page, *record);
  if (auto const* gather = std::get_if<Gather>(&verb)) co_return co_await perform(page, *gather);
  if (auto const* redirect = std::get_if<Redirect>(&verb)) {
    journal_.note(EventKind::redirected);
    co_return Go{redirect->method, resolve_url(page.url, redirect->url), {}};
  }
  if (auto const* reject = std::get_if<Reject>(&verb)) {
    if (!answered_) record_.status = reject->reason == "busy" ? CallStatus::busy : CallStatus::no_answer;
    result_.ending = CallEnding::rejected;
    co_return Over{};
  }
  if (auto const* other = std::get_if<NotSimulated>(&verb)) {
    journal_.violate(12400, "this simulator cannot play " + other->name);
    co_return Stay{};
  }
  result_.ending = CallEnding::hung_up_by_document;
  co_return Over{};
}

base::Async<SimCall::Next> SimCall::perform(Page const&, Say const& verb) {
  for (unsigned round = 0; round < verb.loop || verb.loop == 0; ++round) {
    journal_.note(EventKind::says, verb.text);
    result_.said.push_back(verb.text);
    auto const undisturbed = co_await pass(plan_.say_per_character * static_cast<std::int64_t>(verb.text.size()) + 1ms);
    if (!undisturbed) break;
  }
  co_return Stay{};
}

base::Async<SimCall::Next> SimCall::perform(Page const& page, Play const& verb) {
  if (!verb.digits.empty()) {
    (void)co_await pass(100ms * static_cast<std::int64_t>(verb.digits.size()));
    co_return Stay{};
  }
  // Twilio fetches audio with GET; what it plays must be audio.
  auto outcome =
      co_await (request_webhook(exchange_, plan_, "GET", resolve_url(page.url, verb.url), {}) || interrupted());
  if (outcome.index() == 1) co_return Stay{};
  auto& answer = std::get<0>(outcome);
  if (!answer) {
    journal_.violate(answer.error().code, "Play: " + answer.error().what);
    co_return Stay{};
  }
  if (body_kind(answer->content_type) != Body::audio) {
    journal_.violate(12300, "Play: content type " + answer->content_type + " is not audio");
    co_return Stay{};
  }
  auto const* bytes = reinterpret_cast<std::uint8_t const*>(answer->body.data());
  auto const audio = speech_from_wav({bytes, answer->body.size()});
  if (!audio) {
    journal_.violate(12400, "this simulator plays WAV files only");
    co_return Stay{};
  }
  for (unsigned round = 0; round < verb.loop || verb.loop == 0; ++round) {
    journal_.note(EventKind::plays);
    auto const began = Clock::now();
    auto const undisturbed = co_await pass(std::chrono::microseconds{audio->size() * 125 + 1});
    auto const sounded = static_cast<std::size_t>(ms_between(began, Clock::now()) * 8);
    if (plan_.keep_audio) journal_.heard(began, {audio->data(), std::min(sounded, audio->size())});
    if (!undisturbed) break;
  }
  co_return Stay{};
}

base::Async<SimCall::Next> SimCall::perform(Page const&, Pause const& verb) {
  (void)co_await pass(verb.length);
  co_return Stay{};
}

base::Async<SimCall::Next> SimCall::perform(Page const& page, Connect const& verb) {
  std::string stream_sid;
  MediaStream stream{
      exchange_, plan_, journal_, record_.sid, verb.stream, page.url, [&](std::string_view event, std::string error) {
        post_stream_event(page, verb.stream, stream_sid, event, std::move(error));
      }};
  stream_sid = stream.sid();
  stream_ = &stream;
  auto report = co_await stream.run();
  stream_ = nullptr;
  bool const hung_up = report.end == StreamEnd::caller_hung_up;
  result_.streams.push_back(std::move(report));
  auto const state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) interrupt(Interruption::shut_down);
  if (hung_up) interrupt(Interruption::hang_up);
  co_return follow(page, verb.action, verb.method, {});
}

void SimCall::post_stream_event(Page const& page, Stream const& stream, std::string const& stream_sid,
                                std::string_view event, std::string error) {
  if (stream.status_callback.empty()) return;
  auto const now = std::chrono::system_clock::now();
  auto const nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count() % 1'000'000'000;
  auto const timestamp = base::iso8601(now).substr(0, 20) + fmt::format("{:09}Z", nanos);
  net::Form form{{"AccountSid", record_.account_sid}, {"CallSid", record_.sid},
                 {"StreamSid", stream_sid},           {"StreamName", stream.name.empty() ? stream_sid : stream.name},
                 {"StreamEvent", std::string{event}}, {"Timestamp", timestamp}};
  if (!error.empty()) form.emplace_back("StreamError", std::move(error));
  shuffle(form, random_);
  callbacks_.post(stream.status_callback_method, resolve_url(page.url, stream.status_callback), std::move(form),
                  std::string{event});
}

base::Async<SimCall::Next> SimCall::perform(Page const& page, Dial const& verb) {
  if (verb.callees.empty()) {
    journal_.violate(13223, "Dial has nobody to call");
    co_return Stay{};
  }
  auto const& callee = verb.callees.front();
  bool const conference = callee.kind == "Conference";
  CallRecord child{new_sid("CA"), record_.account_sid, record_.sid, record_.from, callee.address, "outbound-dial"};
  journal_.note(EventKind::dialling, callee.kind + " " + callee.address);
  unsigned number = 0;
  auto const progress = [&](std::string_view event, CallStatus status, std::chrono::seconds talked) {
    auto const sequence = number++;
    if (std::find(callee.events.begin(), callee.events.end(), event) == callee.events.end()) return;
    auto form = standard_params(child, status);
    form.emplace_back("CallbackSource", "call-progress-events");
    form.emplace_back("SequenceNumber", std::to_string(sequence));
    form.emplace_back("Timestamp", rfc2822(std::chrono::system_clock::now()));
    if (is_final(status)) {
      form.emplace_back("CallDuration", std::to_string(talked.count()));
      form.emplace_back("Duration", std::to_string((talked.count() + 59) / 60));
    }
    callbacks_.post(callee.status_callback_method, resolve_url(page.url, callee.status_callback), std::move(form),
                    "of the dialled leg");
  };
  bool const reports = !callee.status_callback.empty();
  if (reports) progress("initiated", CallStatus::initiated, 0s);
  if (reports) progress("ringing", CallStatus::ringing, 0s);
  auto const& plan = plan_.callee;
  bool const too_slow = plan.answer == CalleeAnswer::no_answer || plan.ring_for > verb.timeout;
  auto const rings = too_slow ? std::min<Clock::duration>(plan.ring_for, verb.timeout) : plan.ring_for;
  bool const undisturbed = co_await pass(rings);
  if (!undisturbed) {
    if (reports) progress("completed", CallStatus::canceled, 0s);
    co_return Stay{};
  }
  auto status = too_slow                              ? CallStatus::no_answer
                : plan.answer == CalleeAnswer::busy   ? CallStatus::busy
                : plan.answer == CalleeAnswer::failed ? CallStatus::failed
                                                      : CallStatus::in_progress;
  std::chrono::seconds talked{0};
  if (status == CallStatus::in_progress) {
    answer();
    if (reports) progress("answered", status, 0s);
    auto const began = Clock::now();
    (void)co_await pass(std::min<Clock::duration>(plan.talk_for, verb.time_limit));
    talked = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began + 500ms);
    status = CallStatus::completed;
  }
  if (reports) progress("completed", status, talked);
  std::string const outcome{conference && status == CallStatus::completed ? "answered" : to_string(status)};
  journal_.note(EventKind::dial_ended, outcome);
  net::Form extra{{"DialCallStatus", outcome}, {"DialBridged", status == CallStatus::completed ? "true" : "false"}};
  if (!conference) {
    extra.emplace_back("DialCallSid", child.sid);
    if (status == CallStatus::completed) extra.emplace_back("DialCallDuration", std::to_string(talked.count()));
  }
  co_return follow(page, verb.action, verb.method, std::move(extra));
}

base::Async<SimCall::Next> SimCall::perform(Page const& page, Record const& verb) {
  auto const speaks = std::min<Clock::duration>(plan_.record_speaks_for, verb.max_length);
  auto const began = Clock::now();
  bool undisturbed = co_await pass(speaks);
  bool const full = speaks >= verb.max_length;
  if (undisturbed && !full)
    undisturbed = co_await pass(std::min<Clock::duration>(verb.timeout, verb.max_length - speaks));
  auto const length_ms = ms_between(began, Clock::now());
  Mulaw audio(static_cast<std::size_t>(length_ms * 8), media::mulaw_silence);
  auto const spoken = std::min({plan_.caller.speech.size(), audio.size(),
                                static_cast<std::size_t>(std::chrono::duration_cast<Millis>(speaks).count() * 8)});
  std::copy_n(plan_.caller.speech.begin(), spoken, audio.begin());
  auto const sid = new_sid("RE");
  exchange_.recordings[sid] = wav_of(audio);
  journal_.note(EventKind::recorded, sid, length_ms);
  auto const seconds = std::to_string(static_cast<int>(length_ms / 1000 + 0.5));
  auto const url = exchange_.rest_base + "/2010-04-01/Accounts/" + record_.account_sid + "/Recordings/" + sid;
  if (!verb.recording_status_callback.empty()) {
    net::Form form{{"AccountSid", record_.account_sid},
                   {"CallSid", record_.sid},
                   {"RecordingSid", sid},
                   {"RecordingUrl", url},
                   {"RecordingStatus", "completed"},
                   {"RecordingDuration", seconds},
                   {"RecordingChannels", "1"},
                   {"RecordingSource", "RecordVerb"},
                   {"RecordingTrack", "inbound"},
                   {"RecordingStartTime", rfc2822(std::chrono::system_clock::now())},
                   {"ErrorCode", "0"}};
    shuffle(form, random_);
    callbacks_.post(verb.recording_status_callback_method, resolve_url(page.url, verb.recording_status_callback),
                    std::move(form), "recording");
  }
  if (!undisturbed) co_return Stay{};
  net::Form extra{{"RecordingUrl", url}, {"RecordingSid", sid}, {"RecordingDuration", seconds}, {"Digits", ""}};
  // Without an action Record asks for the same document again.
  co_return Go{verb.action ? verb.method : page.method, resolve_url(page.url, verb.action.value_or("")),
               std::move(extra)};
}

base::Async<bool> SimCall::prompt(Page const& page, Gather const& verb) {
  for (auto const& item : verb.prompts) {
    if (auto const* say = std::get_if<Say>(&item)) (void)co_await perform(page, *say);
    if (auto const* audio = std::get_if<Play>(&item)) (void)co_await perform(page, *audio);
    if (auto const* pause = std::get_if<Pause>(&item)) (void)co_await perform(page, *pause);
    if (interruption_ != Interruption::none) co_return false;
  }
  co_return true;
}

base::Async<SimCall::Next> SimCall::perform(Page const& page, Gather const& verb) {
  bool undisturbed = co_await prompt(page, verb);
  std::string digits;
  if (gathers_done_ < plan_.gathers.size()) digits = plan_.gathers[gathers_done_];
  ++gathers_done_;
  bool finished = false;
  std::string taken;
  for (char const key : digits) {
    if (!undisturbed || finished) break;
    undisturbed = co_await pass(plan_.caller.dtmf_gap);
    finished = verb.finish_on_key.find(key) != std::string::npos;
    if (!finished) taken += key;
    finished = finished || (verb.num_digits > 0 && taken.size() >= verb.num_digits);
  }
  if (undisturbed && !finished) undisturbed = co_await pass(verb.timeout);
  if (!undisturbed) co_return Stay{};
  journal_.note(EventKind::gathered, taken);
  if (taken.empty() && !verb.action_on_empty_result) co_return Stay{};
  net::Form extra{
      {"Digits", taken},
      {"FinishedOnKey", finished && verb.num_digits != taken.size() ? verb.finish_on_key.substr(0, 1) : ""}};
  co_return Go{verb.action ? verb.method : page.method, resolve_url(page.url, verb.action.value_or("")),
               std::move(extra)};
}

}  // namespace sim::twilio
