#pragma once
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/base/bell.h"
#include "gateway/call/leg.h"
#include "media/frame.h"

namespace test {

using std::chrono::milliseconds;

/// The carrier's end of one media stream: what reached it, and what the caller has really heard. Agent audio is told
/// apart by its byte: see voice_of().
struct StreamDiary {
  struct Message {
    enum class Kind { audio, mark, clear } kind;
    base::Instant at;
    std::vector<std::uint8_t> audio;
    std::string mark;
  };
  std::vector<Message> messages;
  std::array<std::int64_t, 256> bytes_played{};
  milliseconds most_queued{0};
  bool is_over = false;

  std::size_t count(Message::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(messages, kind, &Message::kind));
  }
  std::size_t clears() const { return count(Message::Kind::clear); }
  std::size_t marks() const { return count(Message::Kind::mark); }
  std::vector<std::uint8_t> audio() const {
    std::vector<std::uint8_t> all;
    for (auto const& message : messages) all.insert(all.end(), message.audio.begin(), message.audio.end());
    return all;
  }
  milliseconds received() const { return milliseconds{static_cast<std::int64_t>(audio().size()) / 8}; }
};

/// The byte that stands for the speech of a turn; never silence.
constexpr std::uint8_t voice_of(std::int64_t event_id) {
  return static_cast<std::uint8_t>(1 + event_id % 120);
}

/// A media stream as a carrier serves it: one queue played in real time, marks echoed when they are reached or cleared,
/// everything `one_way` late. Moves with tick().
class FakeCaller final : public gateway::CallerLeg {
 public:
  struct Manners {
    milliseconds one_way{0};
    milliseconds close_takes{0};
    bool echoes_marks = true;
  };

  FakeCaller(asio::any_io_executor executor, base::TimeSource& time, StreamDiary& diary, Manners manners)
      : time_{time}, diary_{diary}, manners_{manners}, bell_{executor} {}
  ~FakeCaller() override {
    EXPECT_FALSE(closing_) << "destroyed while close() was running";
    diary_.is_over = true;
  }

  base::Async<gateway::CallerLegEnd> run(gateway::CallerEvents& events) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    events_ = &events;
    while (!end_) {
      bool const rung = co_await bell_.wait();
      if (!rung && !end_) end_ = gateway::CallerLegEnd::lost;
    }
    events_ = nullptr;
    co_return *end_;
  }
  base::Result<> play(std::span<std::uint8_t const> mulaw) override {
    if (refuses) return base::fail(base::Fault::too_large, "does not read");
    EXPECT_EQ(mulaw.size() % media::mulaw_frame_bytes, 0U);
    EXPECT_FALSE(mulaw.empty());
    std::vector<std::uint8_t> const audio{mulaw.begin(), mulaw.end()};
    diary_.messages.push_back({StreamDiary::Message::Kind::audio, time_.now(), audio, {}});
    later(time_.now() + manners_.one_way, [this, audio] { queue(audio); });
    return {};
  }
  base::Result<> mark(std::string_view name) override {
    diary_.messages.push_back({StreamDiary::Message::Kind::mark, time_.now(), {}, std::string{name}});
    later(time_.now() + manners_.one_way, [this, text = std::string{name}] {
      pending_.push_back(text);
      later(std::max(horizon_, at_), [this, text] { echo(text); });
    });
    return {};
  }
  base::Result<> clear() override {
    diary_.messages.push_back({StreamDiary::Message::Kind::clear, time_.now(), {}, {}});
    later(time_.now() + manners_.one_way, [this] {
      play_until(at_);
      pieces_.clear();
      horizon_ = at_;
      for (auto const& name : std::vector{pending_}) echo(name);
    });
    return {};
  }
  base::Async<> close() override {
    EXPECT_FALSE(closing_) << "closed twice";
    closing_ = true;
    ends(gateway::CallerLegEnd::closed);
    if (manners_.close_takes > milliseconds{0}) (void)co_await time_.wait(manners_.close_takes);
    closing_ = false;
  }

  // ---- what the carrier does
  void ends(gateway::CallerLegEnd how) {
    if (end_) return;
    end_ = how;
    bell_.ring();
  }
  void says(std::uint8_t code, std::size_t bytes = media::mulaw_frame_bytes) {
    if (!events_) return;
    std::vector<std::uint8_t> const frame(bytes, code);
    events_->on_caller_audio(frame, said_);
    said_ += milliseconds{static_cast<std::int64_t>(bytes) / 8};
  }
  void presses(char digit) {
    if (events_) events_->on_caller_digit(digit);
  }
  /// Everything up to now happens, in its order.
  void tick() {
    auto const now = time_.now();
    ticking_ = true;
    while (!later_.empty() && later_.begin()->first <= now) {
      auto const next = later_.extract(later_.begin());
      at_ = next.key();
      next.mapped()();
    }
    ticking_ = false;
    play_until(now);
  }
  bool is_running() const { return events_ != nullptr; }
  gateway::CallerEvents* events() { return events_; }

  bool refuses = false;

 private:
  struct Piece {
    base::Instant from;
    std::vector<std::uint8_t> audio;
  };
  void later(base::Instant when, std::function<void()> what) {
    if (ticking_ || when > time_.now()) {
      later_.emplace(when, std::move(what));
      return;
    }
    at_ = time_.now();
    what();
  }
  void queue(std::vector<std::uint8_t> audio) {
    play_until(at_);
    auto const from = std::max(horizon_, at_);
    horizon_ = from + milliseconds{static_cast<std::int64_t>(audio.size()) / 8};
    diary_.most_queued = std::max(diary_.most_queued, std::chrono::duration_cast<milliseconds>(horizon_ - at_));
    pieces_.push_back({from, std::move(audio)});
  }
  void play_until(base::Instant when) {
    while (!pieces_.empty() && pieces_.front().from < when) {
      auto& piece = pieces_.front();
      auto const span = std::chrono::duration_cast<std::chrono::microseconds>(when - piece.from).count() * 8 / 1000;
      auto const bytes = std::min<std::size_t>(piece.audio.size(), static_cast<std::size_t>(span));
      for (std::size_t i = 0; i < bytes; ++i) ++diary_.bytes_played[piece.audio[i]];
      piece.from += std::chrono::microseconds{static_cast<std::int64_t>(bytes) * 125};
      piece.audio.erase(piece.audio.begin(), piece.audio.begin() + static_cast<std::ptrdiff_t>(bytes));
      if (!piece.audio.empty()) return;
      pieces_.erase(pieces_.begin());
    }
  }
  void echo(std::string const& name) {
    if (std::erase(pending_, name) == 0 || !manners_.echoes_marks) return;
    later(at_ + manners_.one_way, [this, name] {
      if (events_) events_->on_mark(name);
    });
  }

  base::TimeSource& time_;
  StreamDiary& diary_;
  Manners manners_;
  base::Bell bell_;
  gateway::CallerEvents* events_ = nullptr;
  std::optional<gateway::CallerLegEnd> end_;
  std::multimap<base::Instant, std::function<void()>> later_;
  std::vector<Piece> pieces_;
  std::vector<std::string> pending_;
  base::Instant horizon_{};
  base::Instant at_{};
  milliseconds said_{0};
  bool ticking_ = false;
  bool closing_ = false;
};

}  // namespace test
