#include "loadtest/load/call.h"

#include <fmt/format.h>

#include <algorithm>

#include "loadtest/sim/twilio/document.h"
#include "loadtest/sim/twilio/signature.h"
#include "loadtest/sim/twilio/webhook.h"

namespace sim::load {
namespace {

constexpr std::int64_t second_ns = 1'000 * ms_ns;
constexpr std::int64_t webhook_patience = 15 * second_ns;  // Twilio's
constexpr std::int64_t upgrade_patience = 5 * second_ns;
constexpr std::int64_t goodbye_patience = 2 * second_ns;
/// After this the measured way is no longer the set-up.
constexpr std::int64_t steady_after = 200 * ms_ns;
/// Caller frames that may still be on their way when the caller hangs up.
constexpr std::uint32_t excused_frames = 13;
/// The gateway promises to keep a second of what is said before the agent is there.
constexpr std::uint32_t most_early_frames = 50;

std::string const& run_nonce() {
  static std::string const nonce = twilio::new_sid("").substr(0, 16);
  return nonce;
}

twilio::Stream const* find_stream(twilio::Document const& document) {
  for (auto const& verb : document.verbs)
    if (auto const* connect = std::get_if<twilio::Connect>(&verb)) return &connect->stream;
  return nullptr;
}

}  // namespace

Call::Call(Trial& trial, std::uint32_t slot)
    : trial_{trial},
      slot_{slot},
      http_{trial.wires, *this},
      socket_{trial.wires, *this},
      to_agent_{trial.measures.to_agent.frames},
      to_caller_{trial.measures.to_caller.frames},
      tones_{media::telephone} {}

bool Call::speaks_in_turns() const {
  return trial_.options.scenario == Scenario::turns || trial_.options.scenario == Scenario::barge_in;
}

void Call::begin(std::uint32_t number, std::int64_t now_ns) {
  number_ = number;
  record_ = {};
  record_.sid = fmt::format("CA{}{:08x}{:08x}", run_nonce(), number, slot_);
  record_.account_sid = trial_.account_sid;
  record_.from = fmt::format("+1415555{:04}", number % 10000);
  record_.to = trial_.options.number;
  record_.status = twilio::CallStatus::ringing;
  record_.created = record_.updated = std::chrono::system_clock::now();
  state_ = State::ringing;
  had_agent_ = is_planned_end_ = is_refused_ = has_failed_ = has_heard_ = false;
  begun_ns_ = now_ns;
  deadline_ns_ = now_ns + webhook_patience;
  talking_ns_ = steady_ns_ = horizon_ns_ = 0;
  ticks_ = sequence_ = 0;
  frames_ = agent_frames_ = early_frames_ = 0;
  to_agent_ = Delivery{trial_.measures.to_agent.frames};
  to_caller_ = Delivery{trial_.measures.to_caller.frames};
  stamps_ = {};
  tones_ = ToneReader{media::telephone};
  marks_.clear();
  interrupted_ns_ = 0;
  clears_ = 0;
  void_before_ = 0;
  ++trial_.measures.calls.asked;
  post("/api/twilio/voice-callback", twilio::standard_params(record_, record_.status));
}

void Call::post(std::string_view path, net::Form const& form) {
  auto const signature =
      twilio::sign(trial_.auth_token, twilio::signed_url(trial_.public_url + std::string{path}), form);
  auto const head = fmt::format(
      "POST {} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
      "X-Twilio-Signature: {}\r\nI-Twilio-Idempotency-Token: {}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n",
      path, signature, twilio::new_sid(""));
  http_.ask(trial_.gateway, head, net::encode_form(form));
}

void Call::beat(std::int64_t due_ns) {
  ++ticks_;
  switch (state_) {
    case State::idle:
      return;
    case State::ringing:
      if (due_ns > deadline_ns_) fail("no answer to the webhook within 15 s");
      break;
    case State::opening:
      if (due_ns > deadline_ns_) fail("the media stream did not open within 5 s");
      break;
    case State::talking:
      send_frame(due_ns);
      if (!marks_.empty()) echo_due(monotonic_ns());
      break;
    case State::leaving:
      if (due_ns > deadline_ns_) {
        trial_.measures.complain("the gateway did not answer the end of a stream within 2 s");
        socket_.drop();
        report_end();
      }
      break;
    case State::reporting: {
      bool const is_late = due_ns > deadline_ns_;
      if (is_late && http_.is_busy()) trial_.measures.complain("no answer to a status callback within 15 s");
      if (is_late && agent_ != nullptr)
        trial_.measures.complain("an agent's conversation was left open after its call");
      if (is_late || (!http_.is_busy() && agent_ == nullptr)) finish();
      break;
    }
  }
  if (agent_ != nullptr) agent_->beat(due_ns, ticks_);
}

// ---- set-up

void Call::on_answer(HttpAnswer answer) {
  if (state_ == State::ringing) return on_document(answer);
  if (answer.status >= 300 || answer.status == 0)
    trial_.measures.complain(fmt::format("a status callback was answered with {} {}", answer.status,
                                         answer.status == 0 ? answer.body : std::string{}));
}

void Call::on_document(HttpAnswer const& answer) {
  auto const now = monotonic_ns();
  if (answer.status == 0) return fail("webhook: " + answer.body);
  if (answer.status >= 300) return fail(fmt::format("webhook: answered with status {}", answer.status));
  auto const document = twilio::parse_document(answer.body);
  if (!document) return fail("webhook: no TwiML: " + document.error().what);
  trial_.measures.webhook_answered.record(now - begun_ns_);
  auto const* stream = find_stream(*document);
  if (stream == nullptr) {
    is_refused_ = true;
    return report_end();
  }
  auto url = net::parse_url(stream->url);
  if (!url) return fail("the stream's URL is none");
  parameters_ = stream->parameters;
  stream_sid_ = twilio::new_sid("MZ");
  media_head_ = R"({"event":"media","streamSid":")" + stream_sid_ + R"(","media":{"payload":")";
  mark_head_ = R"({"event":"mark","streamSid":")" + stream_sid_ + R"(","mark":{"name":)";
  clear_ = R"({"event":"clear","streamSid":")" + stream_sid_ + R"("})";
  record_.status = twilio::CallStatus::in_progress;
  record_.started = std::chrono::system_clock::now();
  auto const signature = twilio::sign(trial_.auth_token, stream->url);
  if (!trial_.media || trial_.media->url.authority() != url->authority() || trial_.media->url.scheme != url->scheme)
    trial_.media = Place::find(*url, trial_.client_tls);
  state_ = State::opening;
  opening_ns_ = now;
  deadline_ns_ = now + upgrade_patience;
  socket_.open(*trial_.media, url->target(),
               "User-Agent: TwilioProxy/1.1\r\nX-Twilio-Signature: " + signature + "\r\n");
}

void Call::on_upgraded() {
  auto const now = monotonic_ns();
  trial_.measures.stream_accepted.record(now - opening_ns_);
  socket_.send_text(twilio::encode_connected());
  socket_.send_text(twilio::encode_start({record_.account_sid, record_.sid, stream_sid_}, ++sequence_, parameters_));
  state_ = State::talking;
  talking_ns_ = now;
  look_steady();
}

void Call::look_steady() {
  if (talking_ns_ == 0 || agent_ == nullptr || !agent_->is_up()) return;
  steady_ns_ = std::max(talking_ns_, agent_->up_ns()) + steady_after;
  ++trial_.measures.calls.answered;
}

bool Call::attach(Agent& agent, std::int64_t now_ns) {
  if (agent_ != nullptr || state_ == State::idle) return false;
  agent_ = &agent;
  had_agent_ = true;
  trial_.measures.agent_joined.record(now_ns - begun_ns_);
  return true;
}

void Call::on_agent_up(std::int64_t) {
  early_frames_ = std::min(frames_, most_early_frames);
  trial_.measures.early_frames_sent += early_frames_;
  look_steady();
}

void Call::on_agent_gone() {
  agent_frames_ = agent_->frames_sent();
  excused_agent_ = state_ == State::talking ? agent_->excused_from(monotonic_ns()) : excused_agent_;
  agent_ = nullptr;
  if (state_ == State::talking) fail("the agent's conversation ended during the call");
}

// ---- the end

void Call::hang_up() {
  if (state_ == State::idle || state_ == State::leaving || state_ == State::reporting) return;
  is_planned_end_ = true;
  if (state_ == State::talking) return leave();
  http_.give_up();
  socket_.drop();
  report_end();
}

void Call::end_by_rest() {
  if (state_ != State::talking) return;
  has_failed_ = true;
  trial_.measures.complain("the gateway ended a call");
  leave();
}

void Call::leave() {
  auto const now = monotonic_ns();
  excused_caller_ = frames_ - std::min(frames_, excused_frames);
  if (agent_ != nullptr) excused_agent_ = agent_->excused_from(now);
  settle_interruption();
  state_ = State::leaving;
  deadline_ns_ = now + goodbye_patience;
  socket_.send_text(twilio::encode_stop({record_.account_sid, record_.sid, stream_sid_}, ++sequence_));
  socket_.close(1000);
}

void Call::on_closed(unsigned code, std::string_view why) {
  if (state_ == State::leaving) return report_end();
  if (state_ == State::opening) return fail(fmt::format("media stream: {} ({})", why, code));
  if (state_ == State::talking) fail(fmt::format("the gateway closed a stream: {} {}", code, why));
}

void Call::fail(std::string_view what) {
  if (state_ == State::talking) {
    excused_caller_ = frames_ - std::min(frames_, excused_frames);
    if (agent_ != nullptr) excused_agent_ = agent_->excused_from(monotonic_ns());
  }
  has_failed_ = true;
  trial_.measures.complain(what);
  http_.give_up();
  socket_.drop();
  report_end();
}

void Call::report_end() {
  state_ = State::reporting;
  deadline_ns_ = monotonic_ns() + webhook_patience;
  record_.status = twilio::CallStatus::completed;
  record_.ended = record_.updated = std::chrono::system_clock::now();
  auto form = twilio::standard_params(record_, record_.status);
  form.emplace_back("CallbackSource", "call-progress-events");
  form.emplace_back("SequenceNumber", "0");
  form.emplace_back("CallDuration", std::to_string(talking_ns_ == 0 ? 0 : (monotonic_ns() - talking_ns_) / second_ns));
  post("/api/twilio/status-callback", form);
}

void Call::finish() {
  http_.give_up();
  socket_.drop();
  if (agent_ != nullptr) {
    agent_frames_ = agent_->frames_sent();
    agent_->leave_call();
    agent_ = nullptr;
  }
  auto& calls = trial_.measures.calls;
  bool const stood = talking_ns_ != 0;
  if (stood && had_agent_) {
    to_agent_.finish(frames_, excused_caller_);
    to_caller_.finish(agent_frames_, excused_agent_);
  }
  if (stood && !had_agent_ && !has_failed_) {
    has_failed_ = true;
    trial_.measures.complain("no agent joined a call");
  }
  if (is_refused_)
    ++calls.refused;
  else if (has_failed_)
    ++calls.failed;
  else
    ++calls.finished;
  state_ = State::idle;
}

}  // namespace sim::load
