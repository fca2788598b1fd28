// What a call does every 20 ms and with each message of its stream; its life is in call.cpp.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "gateway/base/base64.h"
#include "loadtest/load/call.h"
#include "loadtest/sim/twilio/message.h"

namespace sim::load {
namespace {

constexpr std::size_t congested_bytes = 64 * 1024;  // Twilio then drops audio (31930)
constexpr std::int64_t first_timestamp_ms = 100;
constexpr std::uint32_t everything = std::numeric_limits<std::uint32_t>::max();

constexpr std::size_t frame_text = base::base64_size(media::mulaw_frame_bytes);
constexpr std::size_t stamp_text = base::base64_size(stamp_bytes);

/// The base64 of all that follows the stamp, which begins a new group.
std::array<char, frame_text - stamp_text> const& text_after_stamp() {
  static auto const text = [] {
    auto const frame = unstamped_frame();
    std::array<char, frame_text - stamp_text> encoded;
    base::encode_base64(std::span{frame}.subspan(stamp_bytes), encoded);
    return encoded;
  }();
  return text;
}

class Pen {
 public:
  explicit Pen(std::span<char> paper) : at_{paper.data()}, begin_{paper.data()}, end_{paper.data() + paper.size()} {}

  void text(std::string_view what) {
    std::memcpy(at_, what.data(), what.size());
    at_ += what.size();
  }
  void number(std::uint64_t value) { at_ = std::to_chars(at_, end_, value).ptr; }
  void base64(std::span<std::uint8_t const> bytes) { at_ += base::encode_base64(bytes, {at_, end_}); }
  std::size_t written() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* at_;
  char* begin_;
  char* end_;
};

}  // namespace

void Call::send_frame(std::int64_t due_ns) {
  auto const frame = frames_++;
  auto const now = monotonic_ns();
  trial_.measures.caller_lateness.record(now - due_ns);
  ++trial_.measures.to_agent.frames.sent;
  // The number is used up: the agent will miss it.
  if (socket_.queued() > congested_bytes) return;
  std::array<char, ClientSocket::header_room + frame_text + 256> paper;
  Pen pen{std::span{paper}.subspan(ClientSocket::header_room)};
  pen.text(R"({"event":"media","sequenceNumber":")");
  pen.number(++sequence_);
  pen.text(R"(","media":{"track":"inbound","chunk":")");
  pen.number(frame + 1);
  pen.text(R"(","timestamp":")");
  pen.number(static_cast<std::uint64_t>(first_timestamp_ms) + frame * std::uint64_t{20});
  pen.text(R"(","payload":")");
  if (trial_.options.pcm) {
    trial_.audio.clear();
    append_tone({number_, frame}, media::telephone, trial_.audio);
    pen.base64(trial_.audio);
    caller_times_.note(frame, now, due_ns);
  } else {
    std::array<std::uint8_t, stamp_bytes> stamp;
    write_stamp(
        {number_, frame, now, static_cast<std::uint32_t>(std::clamp<std::int64_t>(now - due_ns, 0, everything))},
        stamp);
    pen.base64(stamp);
    auto const& rest = text_after_stamp();
    pen.text({rest.data(), rest.size()});
  }
  pen.text(R"("},"streamSid":")");
  pen.text(stream_sid_);
  pen.text(R"("})");
  socket_.send_prepared(std::span{paper}.first(ClientSocket::header_room + pen.written()));
}

void Call::on_text(std::string_view message) {
  if (state_ != State::talking) return;
  constexpr std::string_view tail = R"("}})";
  if (message.starts_with(media_head_) && message.ends_with(tail)) {
    auto const payload = message.substr(media_head_.size(), message.size() - media_head_.size() - tail.size());
    if (payload.find('"') == payload.npos) return on_audio(payload);
  }
  bool const is_plain_mark = message.starts_with(mark_head_) && message.ends_with("}}") && !message.contains('\\');
  if (is_plain_mark) return on_mark(message.substr(mark_head_.size(), message.size() - mark_head_.size() - 2));
  if (message == clear_) return on_clear();
  on_unusual(message);
}

/// Other spellings of the same messages.
void Call::on_unusual(std::string_view message) {
  auto const decoded = twilio::decode_from_gateway(message, stream_sid_);
  if (!decoded) return trial_.measures.complain("a message that Twilio would not take: " + decoded.error().what);
  if (auto const* media = std::get_if<twilio::MediaMessage>(&*decoded)) {
    std::string text;
    base::append_base64(text, media->mulaw);
    on_audio(text);
  } else if (auto const* mark = std::get_if<twilio::MarkMessage>(&*decoded)) {
    std::string name = "\"";
    for (char const c : mark->name) name.append(c == '"' || c == '\\' ? "\\" : "").push_back(c);
    on_mark(name + "\"");
  } else {
    on_clear();
  }
}

void Call::on_audio(std::string_view base64) {
  auto& audio = trial_.audio;
  audio.resize(base::base64_decoded_bound(base64.size()));
  auto const size = base::decode_base64(base64, audio);
  if (!size) return trial_.measures.complain("audio that is not base64");
  audio.resize(*size);
  arrived_ns_ = monotonic_ns();
  if (!has_heard_) {
    has_heard_ = true;
    trial_.measures.first_audio.record(arrived_ns_ - talking_ns_);
  }
  begins_turn_ = false;
  if (trial_.options.pcm)
    tones_.take(audio, *this);
  else
    stamps_.take(audio, *this);
  pace(*size);
}

void Call::on_stamp(Stamp const& stamp) {
  if (stamp.call != number_) {
    ++trial_.measures.to_caller.frames.crossed;
    return;
  }
  received(stamp.frame, stamp.sent_ns, stamp.due_ns());
}

void Call::on_tone(ToneStamp stamp) {
  if (stamp.call != number_ % ToneStamp::calls) {
    ++trial_.measures.to_caller.frames.crossed;
    return;
  }
  auto const frame = uncut(stamp.frame, ToneStamp::frames, to_caller_.next());
  auto const sent = agent_times_.of(frame);
  received(frame, sent.sent_ns, sent.due_ns);
}

void Call::on_damage() {
  ++trial_.measures.to_caller.frames.damaged;
}

void Call::received(std::uint32_t frame, std::int64_t sent_ns, std::int64_t due_ns) {
  if (frame < void_before_) {
    ++trial_.measures.interruptions.stale_frames;
    return;
  }
  bool const is_first_of_turn = agent_ != nullptr && frame == agent_->turn().first;
  begins_turn_ = begins_turn_ || is_first_of_turn;
  auto const kind = to_caller_.take(frame);
  if (kind == Delivery::Kind::duplicated || !trial_.is_measured(due_ns) || !is_steady(due_ns)) return;
  // Audio that was made faster than real time is late on purpose, all but its beginning.
  if (speaks_in_turns() && !is_first_of_turn) return;
  trial_.measures.to_caller.record(arrived_ns_, sent_ns, due_ns);
}

/// Books a message against the clock of the caller's ear.
void Call::pace(std::size_t mulaw_bytes) {
  auto const length =
      static_cast<std::int64_t>(mulaw_bytes) * (frame_ns / static_cast<std::int64_t>(media::mulaw_frame_bytes));
  auto const lead = horizon_ns_ - arrived_ns_;
  if (speaks_in_turns() && !begins_turn_ && trial_.is_measured(arrived_ns_)) {
    trial_.measures.pacing_error.record(-lead);
    trial_.measures.lead.record(lead);
    if (lead < 0) ++trial_.measures.underruns;
  }
  horizon_ns_ = std::max(horizon_ns_, arrived_ns_) + length;
}

void Call::on_mark(std::string_view name_json) {
  auto const now = monotonic_ns();
  if (horizon_ns_ <= now && marks_.empty()) return echo(name_json);
  marks_.push_back({std::string{name_json}, horizon_ns_});
}

void Call::echo_due(std::int64_t now_ns) {
  std::size_t passed = 0;
  while (passed < marks_.size() && marks_[passed].due_ns <= now_ns) echo(marks_[passed++].name_json);
  if (passed > 0) marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(passed));
}

void Call::echo(std::string_view name_json) {
  auto& message = trial_.message;
  message.assign(R"({"event":"mark","sequenceNumber":")");
  message.append(std::to_string(++sequence_)).append(R"(","streamSid":")").append(stream_sid_);
  message.append(R"(","mark":{"name":)").append(name_json).append("}}");
  socket_.send_text(message);
}

// ---- interruption

void Call::on_interruption(std::int64_t now_ns) {
  settle_interruption();
  ++trial_.measures.interruptions.sent;
  interrupted_ns_ = now_ns;
  clears_ = 0;
}

void Call::on_clear() {
  auto const now = monotonic_ns();
  ++trial_.measures.interruptions.clears;
  if (interrupted_ns_ != 0 && ++clears_ == 1) {
    trial_.measures.until_clear.record(now - interrupted_ns_);
    void_before_ = everything;
  }
  if (interrupted_ns_ == 0) trial_.measures.complain("a clear although nobody interrupted");
  horizon_ns_ = now;
  for (auto const& mark : marks_) echo(mark.name_json);
  marks_.clear();
}

void Call::on_agent_turn(std::uint32_t first) {
  if (interrupted_ns_ == 0) return;
  settle_interruption();
  to_caller_.forgive_before(first);
  void_before_ = first;
}

void Call::settle_interruption() {
  if (interrupted_ns_ == 0) return;
  if (clears_ == 0) ++trial_.measures.interruptions.without_clear;
  if (clears_ > 1) ++trial_.measures.interruptions.more_than_one_clear;
  interrupted_ns_ = 0;
}

}  // namespace sim::load
