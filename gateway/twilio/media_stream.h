#pragma once
// One Twilio Media Stream: the caller's leg.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/bell.h"
#include "gateway/base/metrics.h"
#include "gateway/base/time_source.h"
#include "gateway/call/leg.h"
#include "gateway/net/websocket.h"
#include "gateway/twilio/stream_message.h"

namespace gateway::twilio {

struct StreamMetrics {
  explicit StreamMetrics(base::Metrics& metrics);
  prometheus::Counter& accepted;
  prometheus::Counter& refused_unsigned;
  prometheus::Counter& refused_ticket;
  prometheus::Counter& refused_silent;  ///< No valid start within the time allowed.
  prometheus::Counter& malformed;       ///< Messages that could not be read; skipped.
  prometheus::Counter& frames_missing;  ///< Gaps in Twilio's chunk numbers.
  prometheus::Counter& audio_dropped;   ///< Messages to a carrier that does not read.
};

/// Reads and writes one accepted socket. Before its `start` is proven it holds nothing but the socket's buffer; the
/// door (media_door.h) decides and then hands it to its call.
class MediaStream final : public CallerLeg, private net::WebSocketSink {
 public:
  MediaStream(std::unique_ptr<net::WebSocket> socket, base::TimeSource& time, StreamMetrics& metrics,
              asio::any_io_executor executor);
  ~MediaStream() override;

  /// Reads the socket until it closes; the door runs this beside the rest.
  base::Async<> read();
  /// The `start` message, or nothing when none came by `deadline` or the socket closed.
  base::Async<std::optional<Start>> started(base::Instant deadline);
  /// Drops the socket when nothing has been heard of the caller for `limit`. Returns when the socket is closed.
  base::Async<> watch(std::chrono::milliseconds limit);
  base::Async<> refuse(std::string reason);  ///< Close code 1008.
  void drop() { socket_->abort(); }          ///< At once, without a close frame.

  base::Async<CallerLegEnd> run(CallerEvents& events) override;
  base::Result<> play(std::span<std::uint8_t const> mulaw) override;
  base::Result<> mark(std::string_view name) override;
  base::Result<> clear() override;
  base::Async<> close() override;

 private:
  void on_text(std::string_view message) override;
  void on_binary(std::size_t bytes) override;
  void on_soon() override;
  void before_start(std::string_view message);
  void take(Media const& media);
  void take_general(std::string_view message);

  static constexpr std::size_t most_bytes_before_start = 16 * 1024;
  static constexpr int most_messages_before_start = 4;
  static constexpr std::size_t most_early_frames = 100;

  // What every caller frame touches comes first and lies together: with a thousand calls a core the cost of a frame is
  // the cache lines it has to fetch.
  CallerEvents* events_ = nullptr;
  base::TimeSource& time_;
  Media& usual_;      // the thread's, for every media message
  std::string& out_;  // the thread's, for every message to Twilio
  std::uint64_t next_chunk_ = 0;
  base::Instant last_media_{};
  std::array<char, 34> sid_{};  // the start's StreamSid
  bool has_started_ = false;
  bool stop_seen_ = false;
  bool closed_by_us_ = false;
  bool closed_ = false;
  std::unique_ptr<net::WebSocket> socket_;
  StreamMetrics& metrics_;
  std::optional<Start> start_;
  base::Bell start_bell_;
  base::Bell end_bell_;
  base::Bell watch_bell_;
  std::vector<Media> early_;  // between the start and its call's answer
  std::size_t bytes_before_start_ = 0;
  int messages_before_start_ = 0;
};

}  // namespace gateway::twilio
