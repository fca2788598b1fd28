// Reading. Writing and repairing are in wav_writer.cpp.
#include "media/wav.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "media/mulaw.h"
#include "media/wav_header.h"

namespace media {
namespace {

using Bytes = std::span<std::uint8_t const>;

constexpr std::uintmax_t most_file_bytes = std::uintmax_t{1} << 30;
constexpr std::uint16_t most_channels = 64;
constexpr std::uint32_t highest_file_rate = 1'000'000;

struct SampleFormat {
  std::uint16_t tag;
  std::uint16_t channels;
  std::uint32_t rate;
  std::uint16_t bits;

  std::size_t sample_bytes() const { return bits / 8U; }
};

bool has_tag(Bytes bytes, std::size_t at, std::string_view tag) {
  return bytes.size() >= at + tag.size() &&
         std::equal(tag.begin(), tag.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c, std::uint8_t byte) { return static_cast<std::uint8_t>(c) == byte; });
}

base::Result<SampleFormat> parse_sample_format(Bytes chunk) {
  if (chunk.size() < 16) return base::fail(base::Fault::protocol, "wav: short fmt chunk");
  SampleFormat format{static_cast<std::uint16_t>(wav_number(chunk, 0, 2)),
                      static_cast<std::uint16_t>(wav_number(chunk, 2, 2)), wav_number(chunk, 4, 4),
                      static_cast<std::uint16_t>(wav_number(chunk, 14, 2))};
  // Extensible: the sub-format is a GUID that begins with the plain tag.
  if (format.tag == wave_format_extensible) {
    if (chunk.size() < 40) return base::fail(base::Fault::protocol, "wav: short extensible fmt chunk");
    format.tag = static_cast<std::uint16_t>(wav_number(chunk, 24, 2));
  }
  if (format.channels == 0 || format.channels > most_channels || format.rate == 0 || format.rate > highest_file_rate) {
    return base::fail(base::Fault::protocol, "wav: impossible channels or rate");
  }
  auto const bits = format.bits;
  bool const known = format.tag == wave_format_pcm ? bits == 8 || bits == 16 || bits == 24 || bits == 32
                     : format.tag == wave_format_float
                         ? bits == 32
                         : (format.tag == wave_format_mulaw || format.tag == wave_format_alaw) && bits == 8;
  if (!known) {
    return base::fail(base::Fault::protocol, "wav: unsupported encoding " + std::to_string(format.tag) + " with " +
                                                 std::to_string(bits) + " bits");
  }
  return format;
}

struct Parts {
  SampleFormat format;
  Bytes data;
};

base::Result<Parts> find_parts(Bytes bytes) {
  if (!has_tag(bytes, 0, "RIFF") || !has_tag(bytes, 8, "WAVE")) return base::fail(base::Fault::protocol, "not a wav");
  std::optional<SampleFormat> format;
  auto rest = bytes.subspan(12);
  while (rest.size() >= 8) {
    std::size_t const size = wav_number(rest, 4, 4);
    auto const chunk = rest.subspan(8, std::min(size, rest.size() - 8));
    if (has_tag(rest, 0, "fmt ")) {
      auto parsed = parse_sample_format(chunk);
      if (!parsed) return std::unexpected{parsed.error()};
      format = *parsed;
    } else if (has_tag(rest, 0, "data")) {
      if (!format) return base::fail(base::Fault::protocol, "wav: data before fmt");
      // A writer that never came back to fill in the size left zero: then everything to the end is audio.
      return Parts{*format, size == 0 ? rest.subspan(8) : chunk};
    }
    rest = rest.subspan(8 + chunk.size());
    if (size % 2 == 1 && !rest.empty()) rest = rest.subspan(1);
  }
  return base::fail(base::Fault::protocol, "wav: no data chunk");
}

std::int16_t alaw_to_linear(std::uint8_t code) {
  int const bits = code ^ 0x55;  // G.711: even bits are inverted on the line
  int const segment = (bits >> 4) & 7;
  int const step = ((bits & 15) << 4) + 8;
  int const magnitude = segment == 0 ? step : (step + 0x100) << (segment - 1);
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
}

std::int16_t rounded(std::int64_t value, unsigned surplus_bits) {
  auto const half = std::int64_t{1} << (surplus_bits - 1);
  return static_cast<std::int16_t>(std::min<std::int64_t>((value + half) >> surplus_bits, 32767));
}

std::int16_t from_float(std::uint32_t bits) {
  auto const value = std::bit_cast<float>(bits);
  if (std::isnan(value)) return 0;
  return static_cast<std::int16_t>(std::floor(std::clamp(value * 32768.0F, -32768.0F, 32767.0F) + 0.5F));
}

template <class Decode>
std::vector<std::int16_t> decode_each(Bytes data, std::size_t sample_bytes, std::size_t count, Decode decode) {
  std::vector<std::int16_t> samples(count);
  for (std::size_t i = 0; i < count; ++i) samples[i] = decode(wav_number(data, i * sample_bytes, sample_bytes));
  return samples;
}

std::vector<std::int16_t> decode_samples(SampleFormat const& format, Bytes data) {
  auto const width = format.sample_bytes();
  auto const count = data.size() / (width * format.channels) * format.channels;
  auto const with = [&](auto decode) { return decode_each(data, width, count, decode); };
  using Raw = std::uint32_t;
  if (format.tag == wave_format_mulaw) return with([](Raw x) { return mulaw_to_linear(static_cast<std::uint8_t>(x)); });
  if (format.tag == wave_format_alaw) return with([](Raw x) { return alaw_to_linear(static_cast<std::uint8_t>(x)); });
  if (format.tag == wave_format_float) return with(from_float);
  switch (format.bits) {
    case 8:
      return with([](Raw x) { return static_cast<std::int16_t>((static_cast<int>(x) - 128) * 256); });
    case 16:
      return with([](Raw x) { return static_cast<std::int16_t>(x); });
    case 24:
      return with([](Raw x) { return rounded(static_cast<std::int32_t>(x << 8) >> 8, 8); });
    default:
      return with([](Raw x) { return rounded(static_cast<std::int32_t>(x), 16); });
  }
}

}  // namespace

Wav mono(Wav const& wav) {
  if (wav.channels <= 1) return wav;
  Wav mixed{wav.rate, 1, std::vector<std::int16_t>(wav.frames())};
  for (std::size_t frame = 0; frame < mixed.samples.size(); ++frame) {
    int sum = 0;
    for (std::size_t channel = 0; channel < wav.channels; ++channel) sum += wav.samples[frame * wav.channels + channel];
    mixed.samples[frame] = static_cast<std::int16_t>(sum / static_cast<int>(wav.channels));
  }
  return mixed;
}

base::Result<Wav> parse_wav(std::span<std::uint8_t const> bytes, Channels channels) {
  auto const parts = find_parts(bytes);
  if (!parts) return std::unexpected{parts.error()};
  Wav wav{parts->format.rate, parts->format.channels, decode_samples(parts->format, parts->data)};
  return channels == Channels::mono ? mono(wav) : std::move(wav);
}

base::Result<Wav> read_wav(std::filesystem::path const& path, Channels channels) {
  std::error_code error;
  auto const size = std::filesystem::file_size(path, error);
  if (error) return base::fail(base::Fault::not_found, "wav: " + error.message());
  if (size > most_file_bytes) return base::fail(base::Fault::too_large, "wav: over 1 GiB");
  std::ifstream file{path, std::ios::binary};
  std::vector<std::uint8_t> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) return base::fail(base::Fault::unavailable, "wav: cannot be read");
  return parse_wav(bytes, channels);
}

}  // namespace media
