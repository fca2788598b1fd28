#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/load/agent.h"
#include "loadtest/load/stamp.h"
#include "loadtest/load/tone_stamp.h"
#include "loadtest/load/trial.h"
#include "loadtest/load/web_socket.h"
#include "loadtest/sim/twilio/exchange.h"

namespace sim::load {

/// One telephone call as the carrier sees it: webhook, media stream, play-out, hang-up, status callback. Used again for
/// the next call once it is over.
class Call final : SocketEvents, HttpEvents, StampEvents, ToneEvents {
 public:
  Call(Trial& trial, std::uint32_t slot);
  Call(Call const&) = delete;
  Call& operator=(Call const&) = delete;

  /// `number` is not used by any other call of the run.
  void begin(std::uint32_t number, std::int64_t now_ns);
  /// Every 20 ms from begin() on.
  void beat(std::int64_t due_ns);
  /// The caller hangs up.
  void hang_up();
  /// The gateway has asked the carrier to end the call.
  void end_by_rest();

  enum class State { idle, ringing, opening, talking, leaving, reporting };
  State state() const { return state_; }
  bool is_idle() const { return state_ == State::idle; }
  bool is_up() const { return state_ == State::talking; }
  std::int64_t talking_since() const { return talking_ns_; }
  /// Both legs have been up for a moment, so that a frame due at `due_ns` measures the way and not the set-up.
  bool is_steady(std::int64_t due_ns) const { return steady_ns_ != 0 && due_ns >= steady_ns_; }
  std::uint32_t slot() const { return slot_; }
  std::uint32_t number() const { return number_; }
  std::string const& sid() const { return record_.sid; }
  twilio::CallRecord const& record() const { return record_; }

  // The agent's side.
  /// Its conversation has begun. False when there is one already.
  bool attach(Agent& agent, std::int64_t now_ns);
  void on_agent_up(std::int64_t now_ns);
  void on_agent_gone();
  void on_interruption(std::int64_t now_ns);
  void on_agent_turn(std::uint32_t first);
  Delivery& to_agent() { return to_agent_; }
  SentTimes const& caller_times() const { return caller_times_; }
  SentTimes& agent_times() { return agent_times_; }
  /// Caller frames below this one were spoken before the agent was up.
  std::uint32_t early_frames() const { return early_frames_; }
  std::uint32_t caller_frames() const { return frames_; }

 private:
  void on_answer(HttpAnswer answer) override;
  void on_upgraded() override;
  void on_text(std::string_view message) override;
  void on_closed(unsigned code, std::string_view why) override;
  void on_stamp(Stamp const& stamp) override;
  void on_tone(ToneStamp stamp) override;
  void on_damage() override;

  void post(std::string_view path, net::Form const& form);
  void on_document(HttpAnswer const& answer);
  void send_frame(std::int64_t due_ns);
  void on_audio(std::string_view base64);
  void on_mark(std::string_view name_json);
  void on_clear();
  void on_unusual(std::string_view message);
  void echo(std::string_view name_json);
  void echo_due(std::int64_t now_ns);
  void received(std::uint32_t frame, std::int64_t sent_ns, std::int64_t due_ns);
  void pace(std::size_t mulaw_bytes);
  void fail(std::string_view what);
  void settle_interruption();
  void leave();
  void report_end();
  void finish();
  bool speaks_in_turns() const;
  void look_steady();

  Trial& trial_;
  std::uint32_t slot_;
  std::uint32_t number_ = 0;
  State state_ = State::idle;
  twilio::CallRecord record_;
  HttpExchange http_;
  ClientSocket socket_;
  Agent* agent_ = nullptr;
  bool had_agent_ = false;
  bool is_planned_end_ = false;
  bool is_refused_ = false;
  bool has_failed_ = false;
  std::int64_t begun_ns_ = 0;
  std::int64_t deadline_ns_ = 0;
  std::int64_t opening_ns_ = 0;
  std::int64_t talking_ns_ = 0;
  std::int64_t steady_ns_ = 0;
  std::uint64_t ticks_ = 0;

  // The stream.
  std::string stream_sid_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::string media_head_;  // of the gateway's media messages
  std::string mark_head_;   // of its mark messages
  std::string clear_;       // its clear message
  std::uint64_t sequence_ = 0;
  std::uint32_t frames_ = 0;
  std::uint32_t excused_caller_ = 0;
  std::uint32_t excused_agent_ = 0;
  std::uint32_t agent_frames_ = 0;
  std::uint32_t early_frames_ = 0;
  SentTimes caller_times_;
  SentTimes agent_times_;
  Delivery to_agent_;
  Delivery to_caller_;
  StampReader stamps_;
  ToneReader tones_;

  // Play-out at the carrier.
  struct Mark {
    std::string name_json;
    std::int64_t due_ns;
  };
  std::int64_t arrived_ns_ = 0;
  std::int64_t horizon_ns_ = 0;
  std::vector<Mark> marks_;
  bool has_heard_ = false;
  bool begins_turn_ = false;  // the message at hand does

  // The newest interruption.
  std::int64_t interrupted_ns_ = 0;
  int clears_ = 0;
  std::uint32_t void_before_ = 0;
};

}  // namespace sim::load
