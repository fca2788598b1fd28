#include "loadtest/sim/elevenlabs/speech.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <stdexcept>
#include <utility>

#include "media/mulaw.h"
#include "media/resampler.h"
#include "media/wav.h"

namespace sim::elevenlabs {
namespace {

constexpr std::size_t most_rendered = 512;
constexpr auto sound_folder =
    "/usr/share/sounds/alsa";  // Debian package alsa-utils: people saying "front center" and so on

std::size_t samples_in(Milliseconds length, std::uint32_t rate) {
  return static_cast<std::size_t>(length.count()) * rate / 1000;
}

struct Vowel {
  double first, second;  // formants in hertz
};
constexpr std::array<Vowel, 6> vowels{{{730, 1090}, {270, 2290}, {530, 1840}, {570, 840}, {300, 870}, {660, 1720}}};

constexpr std::size_t harmonics = 32;  // up to 3.2 kHz of the deepest voice, 100 Hz

/// How strong each harmonic is while one letter is spoken.
struct Spectrum {
  std::size_t letter = 0;
  std::array<double, harmonics> weights{};
};

Spectrum spectrum_of(std::string_view text, std::size_t letter, double pitch) {
  auto const& vowel = vowels[static_cast<unsigned char>(text[letter]) % vowels.size()];
  Spectrum spectrum{letter};
  for (std::size_t i = 0; i < harmonics; ++i) {
    double const hertz = pitch * static_cast<double>(i + 1);
    if (hertz > 3200) break;
    spectrum.weights[i] = std::exp(-std::pow((hertz - vowel.first) / 180, 2)) +
                          0.5 * std::exp(-std::pow((hertz - vowel.second) / 220, 2));
  }
  return spectrum;
}

/// One syllable a letter pair, a short pause at each space.
double loudness(std::string_view text, double position) {
  auto const at = std::min(static_cast<std::size_t>(position), text.size() - 1);
  if (text[at] == ' ') return 0.03;
  double const within = position / 2 - std::floor(position / 2);
  return 0.35 + 0.65 * std::sin(std::numbers::pi * within);
}

}  // namespace

double tone_hz(std::int64_t event_id) {
  return 400.0 + 60.0 * static_cast<double>(((event_id % 40) + 40) % 40);
}

Milliseconds spoken_length(std::string_view text) {
  return std::max(Milliseconds{400}, Milliseconds{65} * static_cast<std::int64_t>(text.size()));
}

std::vector<std::int16_t> synthetic_voice(std::string_view text, std::uint32_t rate, Milliseconds length) {
  std::vector<std::int16_t> samples(samples_in(length, rate));
  if (text.empty()) text = "mm";
  auto const seed = std::hash<std::string_view>{}(text);
  double const pitch = 100.0 + static_cast<double>(seed % 80);
  Spectrum spectrum;
  double phase = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double const position =
        static_cast<double>(i) / static_cast<double>(samples.size()) * static_cast<double>(text.size());
    auto const letter = std::min(static_cast<std::size_t>(position), text.size() - 1);
    if (i == 0 || letter != spectrum.letter) spectrum = spectrum_of(text, letter, pitch);
    double const slow = static_cast<double>(i) / rate;
    phase += pitch * (1.0 + 0.08 * std::sin(2 * std::numbers::pi * 0.7 * slow)) / rate;
    phase -= std::floor(phase);
    // sin(n a) = 2 cos(a) sin((n-1) a) - sin((n-2) a): one pair of angles serves all harmonics.
    double const turn = 2 * std::cos(2 * std::numbers::pi * phase);
    double before = 0;
    double now = std::sin(2 * std::numbers::pi * phase);
    double sum = 0;
    for (double const weight : spectrum.weights) {
      sum += weight * now;
      before = std::exchange(now, turn * now - before);
    }
    double const value = std::tanh(sum * 0.4) * 0.36 * loudness(text, position);
    samples[i] = static_cast<std::int16_t>(std::lround(value * 32767));
  }
  return samples;
}

std::vector<std::int16_t> sine(double hertz, std::uint32_t rate, Milliseconds length) {
  std::vector<std::int16_t> samples(samples_in(length, rate));
  double const step = 2 * std::numbers::pi * hertz / rate;
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<std::int16_t>(std::lround(8231 * std::sin(step * static_cast<double>(i))));
  return samples;
}

std::vector<std::uint8_t> to_bytes(std::span<std::int16_t const> samples, media::Codec codec) {
  std::vector<std::uint8_t> bytes(samples.size() * media::bytes_per_sample(codec));
  if (codec == media::Codec::mulaw) {
    media::linear_to_mulaw(samples, bytes);
    return bytes;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    auto const word = static_cast<std::uint16_t>(samples[i]);
    bytes[2 * i] = static_cast<std::uint8_t>(word & 0xFF);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(word >> 8);
  }
  return bytes;
}

std::vector<std::int16_t> to_samples(std::span<std::uint8_t const> bytes, media::Codec codec) {
  std::vector<std::int16_t> samples(bytes.size() / media::bytes_per_sample(codec));
  if (codec == media::Codec::mulaw) {
    media::mulaw_to_linear(bytes, samples);
    return samples;
  }
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<std::int16_t>(bytes[2 * i] | (bytes[2 * i + 1] << 8));
  return samples;
}

void Speech::prepare(Agent const& agent) {
  auto const format = media::parse_format(agent.output_format).value_or(media::telephone);
  auto const look = [&](Say const& say) {
    bool const known_now = say.audio.kind == AudioSource::Kind::wav || say.text.find("{{") == std::string::npos;
    if (known_now && say.audio.kind != AudioSource::Kind::tone) (void)render(say, 0, format);
  };
  if (agent.first_message) look(*agent.first_message);
  look(agent.otherwise);
  look(agent.still_there);
  for (auto const& turn : agent.turns) {
    for (auto const& step : turn.reply) {
      if (auto const* say = std::get_if<Say>(&step)) look(*say);
      auto const* tools = std::get_if<CallTools>(&step);
      if (!tools) continue;
      for (auto const& call : tools->calls) {
        if (call.on_error) look(*call.on_error);
        if (call.on_timeout) look(*call.on_timeout);
      }
    }
  }
}

std::vector<std::int16_t> const& Speech::recording(std::string const& name, std::uint32_t rate) {
  auto const key = std::pair{name, rate};
  if (auto const known = recordings_.find(key); known != recordings_.end()) return known->second;
  auto wav = media::read_wav(folder_ / name, media::Channels::mono);
  if (!wav) wav = media::read_wav(std::filesystem::path{sound_folder} / name, media::Channels::mono);
  if (!wav) throw std::runtime_error{"cannot read the recording " + name + ": " + wav.error().detail};
  if (!media::Resampler::supports(wav->rate, rate))
    throw std::runtime_error{"the recording " + name + " has a sample rate that cannot be converted"};
  std::vector<std::int16_t> samples;
  media::Resampler resampler{wav->rate, rate};
  resampler.convert(wav->samples, samples);
  resampler.flush(samples);
  return recordings_.emplace(key, std::move(samples)).first->second;
}

Audio Speech::render(Say const& say, std::int64_t event_id, media::AudioFormat format) {
  using Kind = AudioSource::Kind;
  auto const& source = say.audio;
  std::string key = media::to_string(format) + '|' + std::to_string(static_cast<int>(source.kind)) + '|' +
                    std::to_string(source.length.count()) + '|';
  if (source.kind == Kind::tone) key += std::to_string(std::lround(tone_hz(event_id))) + '|';
  key += source.kind == Kind::wav ? source.wav : say.text;
  if (auto const known = rendered_.find(key); known != rendered_.end()) return known->second;

  auto const length = source.length.count() > 0 ? source.length : spoken_length(say.text);
  std::vector<std::int16_t> samples;
  switch (source.kind) {
    case Kind::voice:
      samples = synthetic_voice(say.text, format.rate, length);
      break;
    case Kind::tone:
      samples = sine(tone_hz(event_id), format.rate, length);
      break;
    case Kind::silence:
      samples.resize(samples_in(length, format.rate));
      break;
    case Kind::wav: {
      auto const& all = recording(source.wav, format.rate);
      samples = all;
      if (source.length.count() > 0 && !all.empty()) {
        auto const wanted = samples_in(source.length, format.rate);
        while (samples.size() < wanted) samples.insert(samples.end(), all.begin(), all.end());
        samples.resize(wanted);
      }
      break;
    }
  }
  if (rendered_.size() >= most_rendered) rendered_.clear();
  auto audio = std::make_shared<std::vector<std::uint8_t> const>(to_bytes(samples, format.codec));
  rendered_.emplace(std::move(key), audio);
  return audio;
}

}  // namespace sim::elevenlabs
