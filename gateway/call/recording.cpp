#include "gateway/call/recording.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>

#include "gateway/base/background.h"
#include "media/wav.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;

// Caller audio may be late by network jitter; what is older than this has arrived.
constexpr auto patience = milliseconds{500};
constexpr auto hand_over_every = milliseconds{1000};

milliseconds length_of(std::size_t bytes) {
  return milliseconds{static_cast<std::int64_t>(bytes * 1000 / media::telephone_rate)};
}

}  // namespace

struct RecordingDesk::File {
  std::filesystem::path path;
  std::optional<media::WavWriter> writer;  // touched on the writing thread only
  bool given_up = false;
};

RecordingDesk::RecordingDesk(std::filesystem::path directory, base::Metrics& metrics, base::Log log)
    : directory_{std::move(directory)},
      log_{std::move(log)},
      dropped_{
          metrics.counter("switchboard_recordings_given_up_total", "Recordings ended by a full or failing disk.")} {
  asio::post(writer_, base::stand_behind_media);
  std::filesystem::create_directories(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all);
  for (auto const& entry : std::filesystem::directory_iterator{directory_}) {
    if (entry.path().extension() != ".wav") continue;
    auto repaired = media::repair_wav(entry.path());
    if (!repaired) log_.warning("recording could not be repaired", {{"file", entry.path().filename().string()}});
  }
}

RecordingDesk::~RecordingDesk() {
  writer_.join();
}

std::unique_ptr<Recording> RecordingDesk::start(std::string const& name) {
  auto file = std::make_shared<File>();
  file->path = directory_ / (name + ".wav");
  auto path = file->path;
  return std::make_unique<Recording>(*this, std::move(file), std::move(path));
}

void RecordingDesk::append(std::shared_ptr<File> const& file, std::vector<std::int16_t> samples) {
  auto const bytes = samples.size() * sizeof(std::int16_t);
  if (queued_bytes_ + bytes > most_queued_bytes) {
    dropped_.Increment();
    return;
  }
  queued_bytes_ += bytes;
  asio::post(writer_, [this, file, bytes, block = std::move(samples)] {
    queued_bytes_ -= bytes;
    if (file->given_up) return;
    if (!file->writer) {
      auto created = media::WavWriter::create(file->path, media::telephone_rate, 2);
      if (created) file->writer.emplace(std::move(*created));
    }
    bool const written = file->writer && file->writer->write(block).has_value();
    if (written) return;
    file->given_up = true;
    file->writer.reset();
    dropped_.Increment();
    log_.error("recording given up", {{"file", file->path.filename().string()}});
  });
}

void RecordingDesk::finish(std::shared_ptr<File> const& file) {
  asio::post(writer_, [this, file] {
    if (!file->writer) return;
    auto closed = file->writer->close();
    if (!closed)
      log_.error("recording not closed", {{"file", file->path.filename().string()}, {"error", closed.error().detail}});
    file->writer.reset();
  });
}

Recording::Recording(RecordingDesk& desk, std::shared_ptr<RecordingDesk::File> file, std::filesystem::path path)
    : desk_{desk}, file_{std::move(file)}, path_{std::move(path)} {}

// NOLINTNEXTLINE(bugprone-exception-escape): what it could throw is that there is no memory, and that ends us anyway
Recording::~Recording() {
  settle_agent(milliseconds::max());
  timeline_.finish(ready_);
  hand_over();
  desk_.finish(file_);
}

void Recording::caller(milliseconds at, std::span<std::uint8_t const> mulaw) {
  timeline_.add(media::Side::caller, at, mulaw, ready_);
}

void Recording::agent(milliseconds at, std::span<std::uint8_t const> mulaw) {
  scheduled_.push_back({at, {mulaw.begin(), mulaw.end()}});
}

void Recording::cut(milliseconds at) {
  settle_agent(at);
  if (!scheduled_.empty() && scheduled_.front().at < at) {
    auto& piece = scheduled_.front();
    auto const heard = static_cast<std::size_t>((at - piece.at).count()) * media::telephone_rate / 1000;
    timeline_.add(media::Side::agent, piece.at, std::span{piece.mulaw}.first(std::min(heard, piece.mulaw.size())),
                  ready_);
  }
  scheduled_.clear();
}

void Recording::settle_agent(milliseconds now) {
  while (!scheduled_.empty() && scheduled_.front().at + length_of(scheduled_.front().mulaw.size()) <= now) {
    auto const& piece = scheduled_.front();
    timeline_.add(media::Side::agent, piece.at, piece.mulaw, ready_);
    scheduled_.pop_front();
  }
}

void Recording::passed(milliseconds now) {
  settle_agent(now);
  if (now - handed_over_ < hand_over_every + patience) return;
  timeline_.advance_to(now - patience, ready_);
  handed_over_ = now - patience;
  hand_over();
}

void Recording::hand_over() {
  if (!ready_.empty()) desk_.append(file_, std::exchange(ready_, {}));
}

}  // namespace gateway
