#include "loadtest/sim/twilio/speech.h"

#include <cmath>
#include <numbers>

#include "media/mulaw.h"
#include "media/transcoder.h"
#include "media/wav.h"

namespace sim::twilio {
namespace {

base::Result<Mulaw> to_telephone(media::Wav const& wav) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(wav.samples.size() * 2);
  for (auto const sample : wav.samples) {
    auto const bits = static_cast<std::uint16_t>(sample);
    bytes.push_back(static_cast<std::uint8_t>(bits & 0xFF));
    bytes.push_back(static_cast<std::uint8_t>(bits >> 8));
  }
  try {
    media::Transcoder transcoder{{media::Codec::pcm16, wav.rate}, media::telephone};
    Mulaw out;
    transcoder.convert(bytes, out);
    transcoder.flush(out);
    return out;
  } catch (std::invalid_argument const& error) {
    return base::fail(base::Fault::protocol, error.what());
  }
}

Mulaw warble() {
  Mulaw out;
  for (int i = 0; i < 12000; ++i) {  // 1.5 s
    double const t = i / 8000.0;
    double const envelope = 0.5 + 0.5 * std::sin(2 * std::numbers::pi * 4 * t);
    double const voice = std::sin(2 * std::numbers::pi * 180 * t) + 0.5 * std::sin(2 * std::numbers::pi * 720 * t);
    out.push_back(media::linear_to_mulaw(static_cast<std::int16_t>(9000 * envelope * voice)));
  }
  return out;
}

void put(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

}  // namespace

base::Result<Mulaw> speech_from_wav(std::span<std::uint8_t const> file) {
  auto const wav = media::parse_wav(file, media::Channels::mono);
  if (!wav) return std::unexpected{wav.error()};
  return to_telephone(*wav);
}

base::Result<Mulaw> load_speech(std::filesystem::path const& path) {
  auto const wav = media::read_wav(path, media::Channels::mono);
  if (!wav) return std::unexpected{wav.error()};
  return to_telephone(*wav);
}

Mulaw default_speech() {
  auto recorded = load_speech("/usr/share/sounds/alsa/Front_Center.wav");
  return recorded ? std::move(*recorded) : warble();
}

std::string wav_of(std::span<std::uint8_t const> mulaw) {
  auto const data = static_cast<std::uint32_t>(mulaw.size() * 2);
  std::string out = "RIFF";
  put(out, 36 + data, 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, 1, 2);  // PCM
  put(out, 1, 2);  // one channel
  put(out, media::telephone_rate, 4);
  put(out, media::telephone_rate * 2, 4);
  put(out, 2, 2);
  put(out, 16, 2);
  out += "data";
  put(out, data, 4);
  for (auto const code : mulaw) put(out, static_cast<std::uint16_t>(media::mulaw_to_linear(code)), 2);
  return out;
}

}  // namespace sim::twilio
