// The audio path of a live call must not ask the heap for anything once it is under way. The thread sanitizer brings
// its own operator new, so there is nothing to count in its build.
#if !__has_feature(thread_sanitizer)
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "gateway/call/bridge.h"
#include "tests/support/manual_time.h"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// NOLINTBEGIN(misc-new-delete-overloads)
void* operator new(std::size_t size) {
  ++allocations;
  if (auto* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
// NOLINTEND(misc-new-delete-overloads)

namespace gateway {
namespace {

using std::chrono::milliseconds;

class DeafAgent final : public AgentLeg {
 public:
  base::Async<AgentLegEnd> run(AgentEvents&) override { co_return AgentLegEnd{}; }
  void hear(std::span<std::uint8_t const> bytes) override { heard += bytes.size(); }
  void tell(std::string_view, std::string_view) override {}
  void press(std::string_view) override {}
  void answer_tool(std::string_view, std::string_view, bool) override {}
  void keep_patient() override {}
  base::Async<> close() override { co_return; }
  std::size_t heard = 0;
};

/// Echoes every mark at once.
class EchoingCaller final : public CallerLeg {
 public:
  base::Async<CallerLegEnd> run(CallerEvents&) override { co_return CallerLegEnd::closed; }
  base::Result<> play(std::span<std::uint8_t const> mulaw) override {
    played += mulaw.size();
    return {};
  }
  base::Result<> mark(std::string_view name) override {
    length = name.copy(last_mark.data(), last_mark.size());
    return {};
  }
  base::Result<> clear() override { return {}; }
  base::Async<> close() override { co_return; }
  std::size_t played = 0;
  std::array<char, 64> last_mark{};
  std::size_t length = 0;
};

class Indifferent final : public BridgeEvents {
 public:
  void on_agent_accepted(AgentReady const&) override {}
  void on_tool(ToolCall const&) override {}
  void on_agent_goodbye() override {}
  void on_dead_air() override {}
  void on_turn_changed() override {}
  void on_heard() override {}
  void on_event(std::string_view, std::string) override {}
};

class SteadyState : public ::testing::Test {
 protected:
  void talk(media::AudioFormat format) {
    bridge_.attach_caller(caller_);
    bridge_.attach_agent(agent_);
    bridge_.on_agent_ready({"conv_1", format, format});
    auto const agent_bytes = media::bytes_per_second(format) / 50;
    std::vector<std::uint8_t> const agent_frame(agent_bytes, 0x20);
    std::vector<std::uint8_t> const caller_frame(media::mulaw_frame_bytes, 0x30);
    auto const twenty_ms = [&] {
      time_.advance(media::frame_duration);
      bridge_.on_caller_audio(caller_frame, milliseconds{0});
      bridge_.on_agent_audio({1, agent_frame});
      bridge_.on_beat(time_.now());
      if (caller_.length > 0) bridge_.on_mark({caller_.last_mark.data(), std::exchange(caller_.length, 0)});
    };
    for (int i = 0; i < 200; ++i) twenty_ms();
    auto const before = allocations;
    for (int i = 0; i < 1000; ++i) twenty_ms();
    made_ = allocations - before;
    EXPECT_GT(agent_.heard, 1100 * agent_bytes);
    EXPECT_GT(caller_.played, 1100 * media::mulaw_frame_bytes);
  }

  test::ManualTime time_;
  base::Metrics registry_;
  BridgeMetrics metrics_{registry_};
  Indifferent events_;
  DeafAgent agent_;
  EchoingCaller caller_;
  Bridge bridge_{BridgeSettings{}, time_, metrics_, events_};
  std::size_t made_ = 0;
};

TEST_F(SteadyState, allocates_nothing_for_a_frame_of_telephone_audio_either_way) {
  talk(media::telephone);
  EXPECT_EQ(made_, 0U) << "in 1000 frames each way";
}

TEST_F(SteadyState, allocates_nothing_for_a_frame_that_is_transcoded) {
  talk({media::Codec::pcm16, 16000});
  EXPECT_EQ(made_, 0U) << "in 1000 frames each way";
}

}  // namespace
}  // namespace gateway

#endif
