#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/base/bell.h"
#include "tests/call/fake_caller.h"

namespace test {

/// What one conversation has been given; outlives its leg.
struct AgentDiary {
  gateway::AgentRequest request;
  std::vector<std::uint8_t> heard;
  std::vector<std::string> told;
  std::vector<std::string> pressed;
  struct Answer {
    std::string id;
    std::string result;
    bool is_error;
  };
  std::vector<Answer> answers;
  int kept_patient = 0;
  bool was_closed = false;
};

/// A conversation that says what the test wants it to say.
class FakeAgent final : public gateway::AgentLeg {
 public:
  FakeAgent(asio::any_io_executor executor, base::TimeSource& time, AgentDiary& diary, milliseconds close_takes,
            std::function<void()> gone)
      : time_{time}, diary_{diary}, close_takes_{close_takes}, gone_{std::move(gone)}, bell_{executor} {}
  ~FakeAgent() override {
    EXPECT_FALSE(closing_) << "destroyed while close() was running";
    gone_();
  }

  base::Async<gateway::AgentLegEnd> run(gateway::AgentEvents& events) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    events_ = &events;
    if (ready_at_once) events.on_agent_ready(*ready_at_once);
    while (!end_) {
      bool const rung = co_await bell_.wait();
      if (!rung && !end_) end_ = gateway::AgentLegEnd{gateway::AgentLegEnd::Kind::closed, 0, "cancelled"};
    }
    events_ = nullptr;
    co_return *end_;
  }
  void hear(std::span<std::uint8_t const> bytes) override {
    EXPECT_NE(events_, nullptr) << "heard after the end";
    diary_.heard.insert(diary_.heard.end(), bytes.begin(), bytes.end());
  }
  void tell(std::string_view topic, std::string_view text) override {
    diary_.told.push_back(std::string{topic} + ": " + std::string{text});
  }
  void press(std::string_view digits) override { diary_.pressed.emplace_back(digits); }
  void answer_tool(std::string_view id, std::string_view result, bool is_error) override {
    diary_.answers.push_back({std::string{id}, std::string{result}, is_error});
  }
  void keep_patient() override { ++diary_.kept_patient; }
  base::Async<> close() override {
    EXPECT_FALSE(closing_) << "closed twice";
    closing_ = true;
    diary_.was_closed = true;
    ends(gateway::AgentLegEnd::Kind::closed);
    if (close_takes_ > milliseconds{0}) (void)co_await time_.wait(close_takes_);
    closing_ = false;
  }

  // ---- what the agent does; nothing once it has ended
  bool is_running() const { return events_ != nullptr && !end_; }
  void becomes_ready(gateway::AgentReady const& ready) {
    if (is_running()) events_->on_agent_ready(ready);
  }
  /// `length` of µ-law in one burst.
  void says(std::int64_t event_id, milliseconds length, gateway::SpokenAlignment const* alignment = nullptr) {
    sends(event_id, std::vector<std::uint8_t>(static_cast<std::size_t>(length.count()) * 8, voice_of(event_id)),
          alignment);
  }
  void sends(std::int64_t event_id, std::vector<std::uint8_t> const& bytes,
             gateway::SpokenAlignment const* alignment = nullptr) {
    if (is_running()) events_->on_agent_audio({event_id, bytes, alignment});
  }
  void ends(gateway::AgentLegEnd::Kind kind) {
    if (end_) return;
    end_ = gateway::AgentLegEnd{kind, 1000, "scripted"};
    bell_.ring();
  }
  /// Only while is_running().
  gateway::AgentEvents& events() { return *events_; }

  std::optional<gateway::AgentReady> ready_at_once;

 private:
  base::TimeSource& time_;
  AgentDiary& diary_;
  milliseconds close_takes_;
  std::function<void()> gone_;
  base::Bell bell_;
  gateway::AgentEvents* events_ = nullptr;
  std::optional<gateway::AgentLegEnd> end_;
  bool closing_ = false;
};

class FakeAgents final : public gateway::AgentProvider {
 public:
  FakeAgents(asio::any_io_executor executor, base::TimeSource& time) : executor_{std::move(executor)}, time_{time} {}

  std::unique_ptr<gateway::AgentLeg> make_leg(gateway::AgentRequest request) override {
    auto& diary = diaries.emplace_back();
    diary.request = std::move(request);
    auto leg = std::make_unique<FakeAgent>(executor_, time_, diary, close_takes, [this] { newest = nullptr; });
    if (ready_at_once) {
      leg->ready_at_once = gateway::AgentReady{"conv_" + std::to_string(diaries.size()), format, format};
    }
    newest = leg.get();
    return leg;
  }

  bool ready_at_once = true;
  media::AudioFormat format = media::telephone;
  milliseconds close_takes{0};
  FakeAgent* newest = nullptr;
  std::deque<AgentDiary> diaries;

 private:
  asio::any_io_executor executor_;
  base::TimeSource& time_;
};

}  // namespace test
