#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/net/websocket_frame.h"
#include "loadtest/load/stamp.h"
#include "loadtest/load/tone_stamp.h"
#include "loadtest/load/trial.h"

namespace sim::load {

/// One conversation of the agent platform, from the upgraded socket on: greets, speaks as the scenario says, and checks
/// every frame of the caller that reaches it.
class Agent final : net::websocket::MessageSink, StampEvents, ToneEvents {
 public:
  Agent(Trial& trial, Connection& connection);
  ~Agent();
  Agent(Agent const&) = delete;
  Agent& operator=(Agent const&) = delete;

  void take(std::span<char> bytes);
  /// Every 20 ms of its call's clock.
  void beat(std::int64_t due_ns, std::uint64_t tick);
  /// The call that it belonged to is gone.
  void leave_call() { call_ = nullptr; }

  std::uint32_t frames_sent() const { return frames_; }
  bool is_up() const { return up_ns_ != 0; }
  std::int64_t up_ns() const { return up_ns_; }

  /// One utterance.
  struct Turn {
    std::int64_t event_id = 0;
    std::uint32_t first = 0;     ///< Number of its first frame.
    std::uint32_t frames = 0;    ///< How many it will have.
    std::int64_t begun_ns = 0;   ///< When its first message was written.
    std::int64_t cut_at_ns = 0;  ///< When it is to be interrupted; 0: never.
    bool is_cut = false;
  };
  Turn const& turn() const { return turn_; }
  /// From here on frames may be missing if the call ends now.
  std::uint32_t excused_from(std::int64_t now_ns) const;

 private:
  bool on_message(net::websocket::Opcode opcode, std::string_view message) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view) override { return true; }
  bool on_close(std::uint16_t code, std::string_view reason) override;
  void on_stamp(Stamp const& stamp) override;
  void on_tone(ToneStamp stamp) override;
  void on_damage() override;

  bool on_audio(std::string_view message);
  void on_control(std::string_view message);
  void join(std::string_view initiation);
  void come_up(std::int64_t now_ns);
  void received(std::uint32_t frame, std::int64_t sent_ns, std::int64_t due_ns);
  void speak_on(std::int64_t due_ns, std::uint64_t tick);
  void speak_in_turns(std::int64_t now_ns, std::int64_t due_ns, std::uint64_t tick);
  void begin_turn(std::int64_t now_ns, std::uint64_t tick);
  void interrupt(std::int64_t now_ns);
  bool speaks_in_turns() const;
  void say(std::uint32_t frames, std::int64_t due_ns);
  void send(std::string_view text);
  /// The same number for the same turn of the same call in every run.
  std::uint64_t dice(std::uint64_t salt) const;

  Trial& trial_;
  Connection& connection_;
  Call* call_ = nullptr;
  net::websocket::MessageReader reader_;
  StampReader stamps_;
  ToneReader tones_;
  std::int64_t arrived_ns_ = 0;
  std::int64_t come_up_at_ = 0;  // 0: no initiation yet
  std::int64_t up_ns_ = 0;
  std::uint32_t frames_ = 0;
  std::uint64_t pings_ = 0;
  std::uint64_t pongs_ = 0;
  Turn turn_;
  std::int64_t next_turn_at_ = 0;
  std::uint32_t stale_to_say_ = 0;
  std::uint64_t first_beat_ = 0;
};

}  // namespace sim::load
