#include "media/transcoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "media/mulaw.h"

namespace media {
namespace {

constexpr std::size_t block = 320;  // samples decoded at once: 20 ms at 16 kHz
static_assert(std::endian::native == std::endian::little, "pcm16 on the wire is copied as it is in memory");

}  // namespace

Transcoder::Transcoder(AudioFormat from, AudioFormat to) : from_{from}, to_{to} {
  if (from.rate != to.rate) resampler_.emplace(from.rate, to.rate);
}

void Transcoder::convert(std::span<std::uint8_t const> in, std::vector<std::uint8_t>& out) {
  if (from_ == to_) {
    out.insert(out.end(), in.begin(), in.end());
    return;
  }
  std::array<std::int16_t, block> samples;
  while (!in.empty()) {
    auto const decoded = std::span{samples}.first(decode(in, samples));
    if (resampler_) {
      resample(decoded, out);
    } else {
      encode(decoded, out);
    }
  }
}

void Transcoder::flush(std::vector<std::uint8_t>& out) {
  if (resampler_) {
    std::vector<std::int16_t> tail;
    resampler_->flush(tail);
    encode(tail, out);
  }
  half_sample_.reset();
}

void Transcoder::reset() {
  if (resampler_) resampler_->reset();
  half_sample_.reset();
}

std::chrono::microseconds Transcoder::delay() const {
  return resampler_ ? resampler_->delay() : std::chrono::microseconds{0};
}

/// Takes as many whole samples from the front of `in` as fit; returns their number.
std::size_t Transcoder::decode(std::span<std::uint8_t const>& in, std::span<std::int16_t> samples) {
  if (from_.codec == Codec::mulaw) {
    auto const taken = in.first(std::min(in.size(), samples.size()));
    mulaw_to_linear(taken, samples);
    in = in.subspan(taken.size());
    return taken.size();
  }
  std::size_t count = 0;
  if (half_sample_) {
    samples[count++] = static_cast<std::int16_t>(*half_sample_ | in[0] << 8);
    half_sample_.reset();
    in = in.subspan(1);
  }
  auto const whole = std::min(in.size() / 2, samples.size() - count);
  if (whole > 0) std::memcpy(samples.data() + count, in.data(), whole * 2);
  in = in.subspan(whole * 2);
  if (in.size() == 1) {
    half_sample_ = in[0];
    in = {};
  }
  return count + whole;
}

void Transcoder::resample(std::span<std::int16_t const> samples, std::vector<std::uint8_t>& out) {
  std::array<std::int16_t, block * 6> resampled;  // enough at once for 8 to 48 kHz; wider steps take more rounds
  while (!samples.empty()) {
    auto now = samples;
    while (resampler_->max_output(now.size()) > resampled.size()) now = now.first(now.size() / 2);
    encode(std::span{resampled}.first(resampler_->convert(now, resampled)), out);
    samples = samples.subspan(now.size());
  }
}

void Transcoder::encode(std::span<std::int16_t const> samples, std::vector<std::uint8_t>& out) const {
  auto const start = out.size();
  out.resize(start + samples.size() * bytes_per_sample(to_.codec));
  if (to_.codec == Codec::mulaw) {
    linear_to_mulaw(samples, std::span{out}.subspan(start));
  } else if (!samples.empty()) {
    std::memcpy(out.data() + start, samples.data(), samples.size_bytes());
  }
}

}  // namespace media
