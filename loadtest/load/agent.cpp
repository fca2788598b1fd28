#include "loadtest/load/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"
#include "loadtest/load/call.h"

namespace sim::load {
namespace {

using net::websocket::Opcode;

constexpr std::size_t longest_message = 1 << 20;
constexpr std::int64_t slow_by = 500 * ms_ns;

// What is said in one message: 120 ms while an agent speaks in real time, half a second in a burst.
constexpr std::uint32_t live_frames = 6;
constexpr std::uint32_t burst_frames = 25;
/// A burst's next message follows after this many beats: five times faster than real time.
constexpr std::uint64_t burst_beats = 5;
constexpr std::uint64_t ping_beats = 100;
/// Three messages in real time: what may still be on its way when a call ends.
constexpr std::uint32_t excused_live_frames = 3 * live_frames;
constexpr std::int64_t excused_time = 300 * ms_ns;
/// Answers that do not come are no matter of milliseconds.
constexpr std::uint64_t most_open_pings = 3;

constexpr std::string_view chunk_head = R"({"user_audio_chunk":")";
constexpr std::string_view chunk_tail = R"("})";
constexpr std::string_view audio_head = R"({"type":"audio","audio_event":{"audio_base_64":")";

std::string_view type_of(std::string_view message) {
  constexpr std::string_view key = R"("type":")";
  auto const at = message.find(key);
  if (at == message.npos) return {};
  auto const rest = message.substr(at + key.size());
  return rest.substr(0, rest.find('"'));
}

std::string_view format_name(bool pcm) {
  return pcm ? "pcm_16000" : "ulaw_8000";
}

}  // namespace

Agent::Agent(Trial& trial, Connection& connection)
    : trial_{trial},
      connection_{connection},
      reader_{net::websocket::Role::server, longest_message},
      tones_{trial.agent_format()} {}

Agent::~Agent() {
  if (pings_ > pongs_ + most_open_pings) trial_.measures.complain("pings of an agent were not answered");
  if (call_ != nullptr) call_->on_agent_gone();
}

std::uint64_t Agent::dice(std::uint64_t salt) const {
  auto const slot = call_ != nullptr ? call_->slot() : 0U;
  auto mixed = (slot * 1'000'003ULL + static_cast<std::uint64_t>(turn_.event_id)) * 0x9E3779B97F4A7C15ULL + salt;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  return mixed ^ (mixed >> 31);
}

// ---- what comes in

void Agent::take(std::span<char> bytes) {
  arrived_ns_ = monotonic_ns();
  auto const violation = reader_.take(bytes, *this);
  if (!violation) return;
  trial_.measures.complain("the gateway broke the WebSocket protocol: " + std::string{violation->what});
  connection_.finish();
}

bool Agent::on_message(Opcode opcode, std::string_view message) {
  if (opcode != Opcode::text) return true;
  if (message.starts_with(chunk_head) && message.ends_with(chunk_tail) && on_audio(message)) return true;
  on_control(message);
  return connection_.is_open();
}

bool Agent::on_ping(std::string_view payload) {
  trial_.message.clear();
  net::websocket::append_frame(trial_.message, Opcode::pong, payload);
  connection_.send(trial_.message);
  return true;
}

bool Agent::on_close(std::uint16_t code, std::string_view) {
  trial_.message.clear();
  net::websocket::append_frame(trial_.message, Opcode::close,
                               net::websocket::close_payload(code == 1005 ? 1000 : code, {}));
  connection_.send(trial_.message);
  connection_.finish();
  return false;
}

bool Agent::on_audio(std::string_view message) {
  auto const base64 = message.substr(chunk_head.size(), message.size() - chunk_head.size() - chunk_tail.size());
  auto& audio = trial_.audio;
  audio.resize(base::base64_decoded_bound(base64.size()));
  auto const size = base::decode_base64(base64, audio);
  if (!size) return false;
  audio.resize(*size);
  if (trial_.options.pcm)
    tones_.take(audio, *this);
  else
    stamps_.take(audio, *this);
  return true;
}

void Agent::on_stamp(Stamp const& stamp) {
  if (call_ == nullptr) {
    auto* const call = trial_.calls->find_number(stamp.call);
    if (call == nullptr || !call->attach(*this, arrived_ns_)) return;
    call_ = call;
    call_->on_agent_up(arrived_ns_);
  }
  if (stamp.call != call_->number()) {
    ++trial_.measures.to_agent.frames.crossed;
    return;
  }
  received(stamp.frame, stamp.sent_ns, stamp.due_ns());
}

void Agent::on_tone(ToneStamp stamp) {
  if (call_ == nullptr) return;
  if (stamp.call != call_->number() % ToneStamp::calls) {
    ++trial_.measures.to_agent.frames.crossed;
    return;
  }
  auto const frame = uncut(stamp.frame, ToneStamp::frames, call_->to_agent().next());
  auto const sent = call_->caller_times().of(frame);
  received(frame, sent.sent_ns, sent.due_ns);
}

void Agent::on_damage() {
  ++trial_.measures.to_agent.frames.damaged;
}

void Agent::received(std::uint32_t frame, std::int64_t sent_ns, std::int64_t due_ns) {
  auto& delivery = call_->to_agent();
  auto const expected = delivery.next();
  auto const kind = delivery.take(frame);
  if (frame > expected && expected < call_->early_frames())
    trial_.measures.early_frames_lost += std::min(frame, call_->early_frames()) - expected;
  bool const counts = kind != Delivery::Kind::duplicated && trial_.is_measured(due_ns) && call_->is_steady(due_ns);
  if (counts) trial_.measures.to_agent.record(arrived_ns_, sent_ns, due_ns);
}

void Agent::on_control(std::string_view message) {
  auto const type = type_of(message);
  if (type == "pong") {
    ++pongs_;
    return;
  }
  if (call_ == nullptr && type == "conversation_initiation_client_data") return join(message);
  if (!type.empty()) return;
  // The shape of audio with other blanks.
  auto const json = nlohmann::json::parse(message, nullptr, /*allow_exceptions=*/false);
  auto const* chunk = json.is_object() && json.contains("user_audio_chunk") ? &json["user_audio_chunk"] : nullptr;
  if (chunk == nullptr || !chunk->is_string()) return;
  auto const plain = std::string{chunk_head} + chunk->get<std::string>() + std::string{chunk_tail};
  if (!on_audio(plain)) trial_.measures.complain("a user_audio_chunk that is not base64");
}

void Agent::join(std::string_view initiation) {
  auto const json = nlohmann::json::parse(initiation, nullptr, /*allow_exceptions=*/false);
  auto const variables = json.is_object() ? json.value("dynamic_variables", nlohmann::json::object()) : json;
  auto const sid = variables.is_object() && variables.contains("call_sid") && variables["call_sid"].is_string()
                       ? variables["call_sid"].get<std::string>()
                       : std::string{};
  if (!sid.empty()) {
    auto* const call = trial_.calls->find(sid);
    if (call == nullptr || !call->attach(*this, arrived_ns_)) return connection_.finish();
    call_ = call;
  }
  come_up_at_ = arrived_ns_ + (trial_.options.scenario == Scenario::slow_agent ? slow_by : 0);
  if (trial_.options.scenario != Scenario::slow_agent || call_ == nullptr) come_up(arrived_ns_);
}

// ---- what goes out

void Agent::send(std::string_view text) {
  trial_.message.clear();
  net::websocket::append_frame(trial_.message, Opcode::text, text);
  connection_.send(trial_.message);
}

void Agent::come_up(std::int64_t now_ns) {
  up_ns_ = now_ns;
  send(fmt::format(
      R"({{"type":"conversation_initiation_metadata","conversation_initiation_metadata_event":)"
      R"({{"conversation_id":"conv_{}","agent_output_audio_format":"{}","user_input_audio_format":"{}"}}}})",
      call_ != nullptr ? call_->sid() : "unknown", format_name(trial_.options.pcm), format_name(trial_.options.pcm)));
  if (call_ == nullptr) return;
  call_->on_agent_up(now_ns);
  if (speaks_in_turns()) return begin_turn(now_ns, /*tick=*/0);
  turn_.event_id = 1;
  turn_.begun_ns = now_ns;
  send(R"({"type":"agent_response","agent_response_event":{"agent_response":"Hello, how can I help?","event_id":1}})");
  say(live_frames, now_ns);
}

void Agent::beat(std::int64_t due_ns, std::uint64_t tick) {
  auto const now = monotonic_ns();
  if (up_ns_ == 0) {
    if (come_up_at_ != 0 && now >= come_up_at_) come_up(now);
    return;
  }
  if (call_ == nullptr || !call_->is_up()) return;
  if ((tick + call_->slot()) % ping_beats == 0)
    send(fmt::format(R"({{"type":"ping","ping_event":{{"event_id":{},"ping_ms":20}}}})", ++pings_));
  if (speaks_in_turns())
    speak_in_turns(now, due_ns, tick);
  else
    speak_on(due_ns, tick);
}

bool Agent::speaks_in_turns() const {
  return trial_.options.scenario == Scenario::turns || trial_.options.scenario == Scenario::barge_in;
}

void Agent::speak_on(std::int64_t due_ns, std::uint64_t tick) {
  // The greeting is played first: an agent ahead of real time would be paced, and its audio late by that.
  auto const greeted = std::max(up_ns_, call_->talking_since()) + live_frames * frame_ns;
  if (due_ns >= greeted && (tick + call_->slot()) % live_frames == 0) say(live_frames, due_ns);
}

void Agent::speak_in_turns(std::int64_t now_ns, std::int64_t due_ns, std::uint64_t tick) {
  if (stale_to_say_ > 0) {
    // A real agent's audio and its interruption pass each other too.
    say(std::exchange(stale_to_say_, 0), due_ns);
    return;
  }
  auto const said = frames_ - turn_.first;
  bool const speaks = turn_.begun_ns != 0 && !turn_.is_cut;
  if (speaks && turn_.cut_at_ns != 0 && now_ns >= turn_.cut_at_ns) return interrupt(now_ns);
  if (speaks && said < turn_.frames) {
    if ((tick - first_beat_) % burst_beats != 0) return;
    say(std::min(burst_frames, turn_.frames - said), due_ns);
    if (frames_ - turn_.first == turn_.frames)
      send(fmt::format(R"({{"type":"agent_response_complete","agent_response_complete_event":{{"event_id":{}}}}})",
                       turn_.event_id));
    return;
  }
  bool const is_over = turn_.begun_ns == 0 || turn_.is_cut || now_ns >= turn_.begun_ns + turn_.frames * frame_ns;
  if (!is_over) return;
  // The caller speaks for one to three seconds.
  if (next_turn_at_ == 0) next_turn_at_ = now_ns + static_cast<std::int64_t>(1000 + dice(1) % 2000) * ms_ns;
  if (now_ns < next_turn_at_) return;
  next_turn_at_ = 0;
  begin_turn(now_ns, tick);
}

void Agent::begin_turn(std::int64_t now_ns, std::uint64_t tick) {
  auto const event_id = turn_.event_id + 1;
  turn_ = {.event_id = event_id, .first = frames_, .begun_ns = now_ns};
  turn_.frames = static_cast<std::uint32_t>(100 + dice(2) % 100);  // two to four seconds
  bool const is_to_be_cut =
      trial_.options.scenario == Scenario::barge_in && (static_cast<std::uint64_t>(event_id) + call_->slot()) % 2 == 0;
  // Somewhere between three and seven tenths of the turn.
  if (is_to_be_cut)
    turn_.cut_at_ns = now_ns + turn_.frames * frame_ns * static_cast<std::int64_t>(30 + dice(3) % 40) / 100;
  first_beat_ = tick;
  call_->on_agent_turn(turn_.first);
  send(fmt::format(R"({{"type":"user_transcript","user_transcription_event":{{"user_transcript":"When are you open?",)"
                   R"("event_id":{}}}}})",
                   event_id));
  send(fmt::format(R"({{"type":"agent_response","agent_response_event":{{"agent_response":"We are open from Monday to )"
                   R"(Friday from eight until six.","event_id":{}}}}})",
                   event_id));
  say(burst_frames, now_ns);
}

void Agent::interrupt(std::int64_t now_ns) {
  turn_.is_cut = true;
  stale_to_say_ = live_frames;
  call_->on_interruption(now_ns);
  send(fmt::format(R"({{"type":"interruption","interruption_event":{{"event_id":{}}}}})", turn_.event_id));
  send(fmt::format(R"({{"type":"agent_response_correction","agent_response_correction_event":{{)"
                   R"("original_agent_response":"We are open from Monday to Friday from eight until six.",)"
                   R"("corrected_agent_response":"We are open from Monday to","event_id":{}}}}})",
                   turn_.event_id));
}

void Agent::say(std::uint32_t frames, std::int64_t due_ns) {
  auto const now = monotonic_ns();
  trial_.measures.agent_lateness.record(now - due_ns);
  trial_.measures.to_caller.frames.sent += frames;
  auto const lateness = static_cast<std::uint32_t>(std::clamp<std::int64_t>(now - due_ns, 0, 0xFFFFFFFF));
  std::span<std::uint8_t const> audio;
  if (trial_.options.pcm) {
    trial_.audio.clear();
    for (std::uint32_t i = 0; i < frames; ++i) {
      append_tone({call_->number(), frames_}, trial_.agent_format(), trial_.audio);
      call_->agent_times().note(frames_++, now, due_ns);
    }
    audio = trial_.audio;
  } else {
    auto const room = std::span{trial_.unstamped}.first(frames * media::mulaw_frame_bytes);
    for (std::uint32_t i = 0; i < frames; ++i)
      write_stamp({call_->number(), frames_++, now, lateness},
                  room.subspan(i * media::mulaw_frame_bytes).first<stamp_bytes>());
    audio = room;
  }
  // The frame's header goes in front of the text once its length is known: these messages have 126 bytes and more.
  auto& message = trial_.message;
  message.assign(4, '\0');
  message.append(audio_head);
  base::append_base64(message, audio);
  fmt::format_to(std::back_inserter(message), R"(","event_id":{}}}}})", turn_.event_id);
  auto const length = message.size() - 4;
  message[0] = static_cast<char>(0x81);
  message[1] = 126;
  message[2] = static_cast<char>(length >> 8);
  message[3] = static_cast<char>(length & 0xFF);
  connection_.send(message);
}

std::uint32_t Agent::excused_from(std::int64_t now_ns) const {
  if (!speaks_in_turns()) return frames_ - std::min(frames_, excused_live_frames);
  if (turn_.is_cut) return turn_.first;
  auto const played = (now_ns - turn_.begun_ns - excused_time) / frame_ns;
  return turn_.first + static_cast<std::uint32_t>(std::clamp<std::int64_t>(played, 0, turn_.frames));
}

}  // namespace sim::load
