#pragma once
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <random>

#include "loadtest/sim/twilio/caller_voice.h"
#include "loadtest/sim/twilio/document.h"
#include "loadtest/sim/twilio/exchange.h"
#include "loadtest/sim/twilio/playout.h"
#include "loadtest/sim/twilio/valve.h"

namespace sim::twilio {

/// One bidirectional Media Stream as Twilio runs it, from the upgrade to its end. Lives on the call's thread. Uses the
/// monotonic clock directly: what it measures is real time.
class MediaStream final : private net::WebSocketSink {
 public:
  /// Hears "stream-started", "stream-stopped" and "stream-error" with its text.
  using OnStatus = std::function<void(std::string_view event, std::string error)>;

  MediaStream(Exchange& exchange, CallPlan const& plan, Journal& journal, std::string call_sid, Stream const& verb,
              std::string document_url, OnStatus on_status);

  /// Returns when the stream has ended and nothing is pending.
  base::Async<StreamReport> run();
  /// Ends the stream from Twilio's side; the first cause counts.
  void finish(StreamEnd cause);
  std::string const& sid() const { return id_.stream_sid; }
  /// Keys the caller presses now.
  void press(std::string_view keys) { keys_.append(keys); }

 private:
  void on_text(std::string_view message) override;
  void on_binary(std::size_t bytes) override;
  void take(MediaMessage const& message);
  void take(MarkMessage message);
  void take(ClearMessage);

  bool check_verb();
  base::Async<> converse();
  base::Async<bool> connect();
  net::Headers upgrade_headers() const;
  base::Async<> serve();
  base::Async<> listen();
  base::Async<> speak();
  base::Async<> until_finished();
  void play_tick(Clock::time_point due);
  void send_frame(Clock::time_point now);
  void press_due_keys(Millis offset);
  void obey_line_faults(Millis offset);
  void consider_hanging_up(Clock::time_point now);
  void echo(std::string const& name);
  bool send(std::string_view text);
  void violate(int code, std::string what);
  void conclude();
  void record_arrival(Clock::time_point now, std::size_t bytes);
  Clock::time_point due(std::uint64_t tick) const {
    return started_ + media::frame_duration * static_cast<std::int64_t>(tick + 1);
  }
  Clock::time_point leaves_at(std::uint64_t frame);

  Exchange& exchange_;
  CallPlan const& plan_;
  Journal& journal_;
  Stream const& verb_;
  std::string url_;  // as the gateway knows it, without query
  OnStatus on_status_;
  StreamIdentity id_;
  StreamReport report_;
  std::unique_ptr<net::WebSocket> socket_;
  net::WebSocketClosed closed_;
  Valve valve_;
  std::optional<std::uint16_t> valve_port_;
  asio::steady_timer timer_;
  asio::steady_timer alarm_;
  std::mt19937 random_;
  CallerVoice voice_;
  AgentEar ear_;
  Playout playout_;
  std::optional<StreamEnd> finish_;
  bool over_ = false;     // the connection has ended
  bool stopped_ = false;  // `stop` has been sent: nothing may follow
  Clock::time_point started_;
  std::uint64_t sequence_ = 0;
  std::uint64_t tick_ = 0;
  std::uint64_t frame_ = 0;
  std::int64_t first_timestamp_ms_ = 0;
  Clock::time_point leaves_;  // when the next frame goes out
  std::string keys_;
  Millis next_key_at_{0};
  std::optional<Clock::time_point> barge_in_began_;
  std::optional<Clock::time_point> spurt_began_;
  std::uint64_t spurt_bytes_ = 0;
  std::optional<Clock::time_point> dry_since_;
  std::string message_;
  std::vector<float> arrival_lateness_;
  std::vector<float> send_lateness_;
  std::vector<int> raised_;  // warnings Twilio raises once per stream
};

}  // namespace sim::twilio
