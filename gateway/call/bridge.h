#pragma once
// Joins the caller's leg and the agent's leg: audio both ways, interruption, what was heard.
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/base/metrics.h"
#include "gateway/base/time_source.h"
#include "gateway/call/leg.h"
#include "gateway/call/metronome.h"
#include "gateway/call/playout.h"
#include "gateway/call/transcript.h"
#include "media/transcoder.h"

namespace gateway {

class Recording;

/// Counters shared by the calls of a process.
struct BridgeMetrics {
  explicit BridgeMetrics(base::Metrics& metrics);
  prometheus::Counter& caller_frames_dropped;  ///< Arrived before the agent was ready and too old to keep.
  prometheus::Counter& agent_bytes_stale;      ///< Audio of an interrupted turn, thrown away.
  prometheus::Counter& agent_bytes_dropped;    ///< Beyond the playout bound, or not taken by the carrier.
  prometheus::Counter& interruptions;
  prometheus::Counter& underruns;
  prometheus::Counter& marks_cleared;
  prometheus::Histogram& first_audio_seconds;  ///< Stream start to first agent audio sent.
};

struct BridgeSettings {
  PlayoutSettings playout;
  std::chrono::milliseconds early_audio{1000};  ///< Caller audio kept while the agent is not ready; then oldest goes.
  std::chrono::milliseconds dead_air{8000};     ///< Silence the agent owes an answer into before on_dead_air().
  std::chrono::milliseconds digit_pause{1500};  ///< Keys pressed within this are one input; '#' ends it at once.
};

/// What the call must decide about; called on the core's thread.
class BridgeEvents {
 public:
  virtual ~BridgeEvents() = default;
  virtual void on_agent_accepted(AgentReady const& ready) = 0;
  virtual void on_tool(ToolCall const& call) = 0;
  virtual void on_agent_goodbye() = 0;
  virtual void on_dead_air() = 0;
  virtual void on_turn_changed() = 0;  ///< The transcript has grown or was cut.
  virtual void on_heard() = 0;         ///< The caller has heard more of what was said. Comes with every mark.
  virtual void on_event(std::string_view kind, std::string detail_json) = 0;
};

/// Lives as long as its call, while legs come and go: the agent's may be there first, and either may be replaced.
class Bridge final : public CallerEvents, public AgentEvents, public PlayoutSink, public Metronome::Listener {
 public:
  Bridge(BridgeSettings settings, base::TimeSource& time, BridgeMetrics& metrics, BridgeEvents& events);
  ~Bridge() override = default;

  void record_to(Recording* recording) { recording_ = recording; }
  void attach_caller(CallerLeg& leg);
  void detach_caller();
  void attach_agent(AgentLeg& leg);
  /// `was_lost`: what it was just saying has no end.
  void detach_agent(bool was_lost = false);
  /// No more caller audio goes to the agent, no watchdog fires; what is queued still plays. For a goodbye.
  void wind_down() { winding_down_ = true; }
  /// A tool is running: the agent may be silent for its sake.
  void tool_pending(bool pending);

  /// Everything generated has been played and confirmed.
  bool is_drained() const { return playout_.is_drained(); }
  /// Closes the last turn, so that its tail and mark go out.
  void end_agent_turn();
  Transcript const& transcript() const { return transcript_; }
  Playout const& playout() const { return playout_; }
  std::optional<base::Instant> stream_started() const { return stream_started_; }
  /// More audio of the agent's last turn may come.
  bool is_in_agent_turn() const { return current_turn_.has_value(); }
  /// When the agent last sent audio; the epoch if never.
  base::Instant last_agent_audio() const { return last_agent_audio_; }

  void on_caller_audio(std::span<std::uint8_t const> mulaw, std::chrono::milliseconds at) override;
  void on_caller_digit(char digit) override;
  void on_mark(std::string_view name) override;

  void on_agent_ready(AgentReady const& ready) override;
  void on_agent_audio(AgentAudio const& audio) override;
  void on_agent_text(std::int64_t event_id, std::string_view text) override;
  void on_agent_correction(std::optional<std::int64_t> event_id, std::string_view original,
                           std::string_view corrected) override;
  void on_agent_turn_complete(std::int64_t event_id) override;
  void on_caller_text(std::int64_t event_id, std::string_view text) override;
  void on_interruption(std::int64_t event_id) override;
  void on_tool_call(ToolCall const& call) override { events_.on_tool(call); }
  void on_agent_hangs_up() override { events_.on_agent_goodbye(); }
  void on_queue(QueueState state) override;

  bool send_audio(std::span<std::uint8_t const> audio, Instant plays_at) override;
  void send_mark(std::string_view name) override;

  void on_beat(base::Instant now) override;

 private:
  void hear(std::span<std::uint8_t const> mulaw);
  void hear_early_audio();
  void deliver_digits();
  void look_around(base::Instant now);
  void keep_agent_fed(base::Instant now);
  void watch_for_dead_air(base::Instant now);
  std::chrono::milliseconds since_begin() const;

  // What every caller frame and every beat touch comes first and lies together: with a thousand calls a core the cost
  // of a frame is the cache lines it has to fetch.
  AgentLeg* agent_ = nullptr;
  CallerLeg* caller_ = nullptr;
  Recording* recording_ = nullptr;
  base::TimeSource& time_;
  base::Instant last_caller_audio_{};
  base::Instant last_sound_{};  // either side's, or the start of a stretch in which the agent need not speak
  base::Instant next_look_{};
  bool caller_spoke_ = false;  // since the agent last did
  bool first_audio_sent_ = false;
  bool tool_pending_ = false;
  bool queued_ = false;
  bool winding_down_ = false;
  bool dead_air_reported_ = false;
  std::optional<AgentReady> ready_;
  Playout playout_;

  BridgeSettings settings_;
  BridgeMetrics& metrics_;
  BridgeEvents& events_;
  base::Instant begun_;
  Transcript transcript_;
  std::optional<media::Transcoder> to_agent_;
  std::optional<media::Transcoder> to_caller_;
  std::vector<std::uint8_t> scratch_;
  std::vector<std::uint8_t> early_audio_;
  std::optional<std::int64_t> last_interruption_;
  std::optional<std::int64_t> reopened_turn_;  // spoken anew after an interruption of the same id
  std::optional<std::size_t> current_turn_;
  std::optional<base::Instant> stream_started_;
  base::Instant last_agent_audio_{};
  std::string digits_;
  base::Instant last_digit_{};
  std::uint64_t underruns_reported_ = 0;
  std::uint64_t drops_reported_ = 0;
};

}  // namespace gateway
