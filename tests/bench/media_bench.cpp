// What 20 ms of one direction of a call cost in the audio room, with everything in the cache.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/base64.h"
#include "media/format.h"
#include "media/framer.h"
#include "media/level.h"
#include "media/mulaw.h"
#include "media/resampler.h"
#include "media/transcoder.h"
#include "media/two_channel.h"

namespace {

std::vector<std::uint8_t> mulaw_frame() {
  std::vector<std::uint8_t> codes(media::mulaw_frame_bytes);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = media::linear_to_mulaw(static_cast<std::int16_t>(9000 * std::sin(0.13 * static_cast<double>(i))));
  }
  return codes;
}

void base64_encode_frame(benchmark::State& state) {
  auto const frame = mulaw_frame();
  std::array<char, base::base64_size(media::mulaw_frame_bytes)> text{};
  for (auto _ : state) {
    base::encode_base64(frame, text);
    benchmark::DoNotOptimize(text);
  }
}
BENCHMARK(base64_encode_frame);

void base64_decode_frame(benchmark::State& state) {
  std::string text;
  base::append_base64(text, mulaw_frame());
  std::array<std::uint8_t, media::mulaw_frame_bytes> bytes{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(base::decode_base64(text, bytes));
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(base64_decode_frame);

void mulaw_decode_frame(benchmark::State& state) {
  auto const frame = mulaw_frame();
  std::array<std::int16_t, media::mulaw_frame_bytes> samples{};
  for (auto _ : state) {
    media::mulaw_to_linear(frame, samples);
    benchmark::DoNotOptimize(samples);
  }
}
BENCHMARK(mulaw_decode_frame);

void mulaw_encode_frame(benchmark::State& state) {
  auto frame = mulaw_frame();
  std::array<std::int16_t, media::mulaw_frame_bytes> samples{};
  media::mulaw_to_linear(frame, samples);
  for (auto _ : state) {
    media::linear_to_mulaw(samples, frame);
    benchmark::DoNotOptimize(frame.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(mulaw_encode_frame);

void resample_frame(benchmark::State& state) {
  auto const from = static_cast<std::uint32_t>(state.range(0));
  media::Resampler resampler{from, static_cast<std::uint32_t>(state.range(1))};
  std::vector<std::int16_t> in(from / 50);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::int16_t>(i * 37);
  std::vector<std::int16_t> out(resampler.max_output(in.size()));
  for (auto _ : state) {
    resampler.convert(in, std::span{out});
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(resample_frame)
    ->ArgNames({"from", "to"})
    ->Args({8000, 16000})
    ->Args({16000, 8000})
    ->Args({8000, 24000})
    ->Args({24000, 8000})
    ->Args({22050, 8000})
    ->Args({44100, 8000})
    ->Args({48000, 8000});

void transcode_frame_to_agent(benchmark::State& state) {
  media::Transcoder transcoder{media::telephone, {media::Codec::pcm16, static_cast<std::uint32_t>(state.range(0))}};
  auto const frame = mulaw_frame();
  std::vector<std::uint8_t> out;
  for (auto _ : state) {
    out.clear();
    transcoder.convert(frame, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(transcode_frame_to_agent)->Arg(8000)->Arg(16000)->Arg(24000);

void transcode_frame_to_caller(benchmark::State& state) {
  media::AudioFormat const agent{media::Codec::pcm16, static_cast<std::uint32_t>(state.range(0))};
  media::Transcoder transcoder{agent, media::telephone};
  std::vector<std::uint8_t> const chunk(media::bytes_per_second(agent) / 50, 0x21);
  std::vector<std::uint8_t> out;
  for (auto _ : state) {
    out.clear();
    transcoder.convert(chunk, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(transcode_frame_to_caller)->Arg(8000)->Arg(16000)->Arg(24000)->Arg(44100);

void cut_a_second_into_frames(benchmark::State& state) {
  media::Framer framer;
  std::vector<std::uint8_t> const chunk(8001, 0x55);
  std::vector<media::MulawFrame> frames;
  for (auto _ : state) {
    frames.clear();
    framer.push(chunk, frames);
    benchmark::DoNotOptimize(frames.data());
  }
}
BENCHMARK(cut_a_second_into_frames);

void level_of_frame(benchmark::State& state) {
  auto const frame = mulaw_frame();
  for (auto _ : state) benchmark::DoNotOptimize(media::sounds_like_speech(frame));
}
BENCHMARK(level_of_frame);

void record_frame_of_both_sides(benchmark::State& state) {
  auto const frame = mulaw_frame();
  media::TwoChannelTimeline timeline;
  std::vector<std::int16_t> out;
  auto at = media::TwoChannelTimeline::Milliseconds{0};
  for (auto _ : state) {
    out.clear();
    timeline.add(media::Side::caller, at, frame, out);
    timeline.add(media::Side::agent, at, frame, out);
    at += media::frame_duration;
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(record_frame_of_both_sides);

}  // namespace
