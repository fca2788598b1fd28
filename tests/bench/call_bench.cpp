// What 20 ms of a live call cost between its two legs, sockets and JSON excluded.
#include <benchmark/benchmark.h>

#include <vector>

#include "gateway/call/bridge.h"
#include "tests/support/manual_time.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;

class NullAgent final : public AgentLeg {
 public:
  base::Async<AgentLegEnd> run(AgentEvents&) override { co_return AgentLegEnd{}; }
  void hear(std::span<std::uint8_t const> bytes) override { benchmark::DoNotOptimize(bytes.data()); }
  void tell(std::string_view, std::string_view) override {}
  void press(std::string_view) override {}
  void answer_tool(std::string_view, std::string_view, bool) override {}
  void keep_patient() override {}
  base::Async<> close() override { co_return; }
};

class NullCaller final : public CallerLeg {
 public:
  base::Async<CallerLegEnd> run(CallerEvents&) override { co_return CallerLegEnd::closed; }
  base::Result<> play(std::span<std::uint8_t const> mulaw) override {
    benchmark::DoNotOptimize(mulaw.data());
    return {};
  }
  base::Result<> mark(std::string_view name) override {
    last_mark = name;
    return {};
  }
  base::Result<> clear() override { return {}; }
  base::Async<> close() override { co_return; }
  std::string last_mark;
};

class NullEvents final : public BridgeEvents {
 public:
  void on_agent_accepted(AgentReady const&) override {}
  void on_tool(ToolCall const&) override {}
  void on_agent_goodbye() override {}
  void on_dead_air() override {}
  void on_turn_changed() override {}
  void on_heard() override {}
  void on_event(std::string_view, std::string) override {}
};

struct TwoLegs {
  explicit TwoLegs(media::AudioFormat format) {
    bridge.attach_caller(caller);
    bridge.attach_agent(agent);
    bridge.on_agent_ready({"conv_1", format, format});
  }
  void beat() {
    time.advance(media::frame_duration);
    bridge.on_beat(time.now());
    if (caller.last_mark.empty()) return;
    bridge.on_mark(caller.last_mark);
    caller.last_mark.clear();
  }
  test::ManualTime time;
  base::Metrics registry;
  BridgeMetrics metrics{registry};
  NullEvents events;
  NullAgent agent;
  NullCaller caller;
  Bridge bridge{BridgeSettings{}, time, metrics, events};
};

void caller_frame(benchmark::State& state, media::AudioFormat format) {
  TwoLegs legs{format};
  std::vector<std::uint8_t> const frame(media::mulaw_frame_bytes, 0x30);
  milliseconds at{0};
  for (auto _ : state) {
    legs.bridge.on_caller_audio(frame, at);
    at += media::frame_duration;
  }
}
BENCHMARK_CAPTURE(caller_frame, mulaw, media::telephone);
BENCHMARK_CAPTURE(caller_frame, pcm_16000, media::AudioFormat{media::Codec::pcm16, 16000});

/// Arrival, pacing, the beat and the share of a mark.
void agent_frame(benchmark::State& state, media::AudioFormat format) {
  TwoLegs legs{format};
  std::vector<std::uint8_t> const frame(media::bytes_per_second(format) / 50, 0x20);
  for (auto _ : state) {
    legs.bridge.on_agent_audio({1, frame});
    legs.beat();
  }
}
BENCHMARK_CAPTURE(agent_frame, mulaw, media::telephone);
BENCHMARK_CAPTURE(agent_frame, pcm_16000, media::AudioFormat{media::Codec::pcm16, 16000});

/// A call in which nobody speaks still has its beat.
void silent_beat(benchmark::State& state) {
  TwoLegs legs{media::telephone};
  std::vector<std::uint8_t> const frame(media::mulaw_frame_bytes, media::mulaw_silence);
  legs.bridge.on_caller_audio(frame, milliseconds{0});
  auto const now = legs.time.now();
  for (auto _ : state) legs.bridge.on_beat(now);
}
BENCHMARK(silent_beat);

void interruption(benchmark::State& state) {
  TwoLegs legs{media::telephone};
  std::vector<std::uint8_t> const speech(8000, 0x20);
  std::int64_t turn = 0;
  for (auto _ : state) {
    legs.bridge.on_agent_audio({++turn, speech});
    legs.bridge.on_interruption(turn);
  }
}
BENCHMARK(interruption)->Iterations(2000);

}  // namespace
}  // namespace gateway
