#pragma once
// Two-channel recordings (left caller, right agent as played), streamed to disk by one thread off the media cores.
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/async.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "media/two_channel.h"

namespace gateway {

class Recording;

/// Owns the writing thread. Disk trouble ends a recording and is counted; it never reaches the call.
class RecordingDesk {
 public:
  /// Creates `directory` (0700) and repairs what a killed process left there. Throws when the directory cannot be made.
  RecordingDesk(std::filesystem::path directory, base::Metrics& metrics, base::Log log);
  ~RecordingDesk();  ///< Writes what is queued, then returns.

  /// DIRECTORY/<name>.wav, replacing a file of that name. Any thread.
  std::unique_ptr<Recording> start(std::string const& name);

 private:
  friend class Recording;
  struct File;
  void append(std::shared_ptr<File> const& file, std::vector<std::int16_t> samples);
  void finish(std::shared_ptr<File> const& file);

  static constexpr std::size_t most_queued_bytes = 64 * 1024 * 1024;

  std::filesystem::path directory_;
  base::Log log_;
  prometheus::Counter& dropped_;
  std::atomic<std::size_t> queued_bytes_ = 0;
  asio::thread_pool writer_{1};
};

/// One call's recording. Lives on the call's core. Positions are times since the call began.
class Recording {
 public:
  using Milliseconds = std::chrono::milliseconds;

  Recording(RecordingDesk& desk, std::shared_ptr<RecordingDesk::File> file, std::filesystem::path path);
  ~Recording();

  void caller(Milliseconds at, std::span<std::uint8_t const> mulaw);
  /// Audio that will be heard from `at` on, unless cut() comes first.
  void agent(Milliseconds at, std::span<std::uint8_t const> mulaw);
  /// From here on nothing that was scheduled is heard.
  void cut(Milliseconds at);
  /// Time has passed: hands what is certain to the writer, about once a second.
  void passed(Milliseconds now);
  std::string path() const { return path_.string(); }

 private:
  struct Piece {
    Milliseconds at;
    std::vector<std::uint8_t> mulaw;
  };
  void settle_agent(Milliseconds now);
  void hand_over();

  RecordingDesk& desk_;
  std::shared_ptr<RecordingDesk::File> file_;
  std::filesystem::path path_;
  media::TwoChannelTimeline timeline_;
  std::deque<Piece> scheduled_;
  std::vector<std::int16_t> ready_;
  Milliseconds handed_over_{0};
};

}  // namespace gateway
