#pragma once
// What the simulated agent sounds like.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "loadtest/sim/elevenlabs/scenario.h"
#include "media/format.h"

namespace sim::elevenlabs {

/// The frequency that speaks for a turn: 400 to 2740 Hz in steps of 60, so that 40 turns in a row can be told apart in
/// a telephone recording by 20 ms frames.
double tone_hz(std::int64_t event_id);

/// How long a text takes to say: 65 ms a byte, at least 400 ms.
Milliseconds spoken_length(std::string_view text);

/// Deterministic speech-like sound: a pulse train through two moving formants, cut into syllables and words. Peak about
/// -9 dBFS.
std::vector<std::int16_t> synthetic_voice(std::string_view text, std::uint32_t rate, Milliseconds length);

/// A sine of -12 dBFS.
std::vector<std::int16_t> sine(double hertz, std::uint32_t rate, Milliseconds length);

std::vector<std::uint8_t> to_bytes(std::span<std::int16_t const> samples, media::Codec codec);
/// Half a sample at the end is left out.
std::vector<std::int16_t> to_samples(std::span<std::uint8_t const> bytes, media::Codec codec);

using Audio = std::shared_ptr<std::vector<std::uint8_t> const>;

/// Renders utterances and remembers them, since thousands of calls say the same. One thread.
class Speech {
 public:
  /// `folder` is where recordings are looked for before /usr/share/sounds/alsa.
  explicit Speech(std::filesystem::path folder) : folder_{std::move(folder)} {}

  /// Renders ahead what does not depend on a call, so that no call waits for it. Throws std::runtime_error when a
  /// recording that the agent uses cannot be read.
  void prepare(Agent const& agent);

  /// Bytes in `format`, whole samples.
  Audio render(Say const& say, std::int64_t event_id, media::AudioFormat format);

 private:
  std::vector<std::int16_t> const& recording(std::string const& name, std::uint32_t rate);

  std::filesystem::path folder_;
  std::map<std::pair<std::string, std::uint32_t>, std::vector<std::int16_t>> recordings_;
  std::map<std::string, Audio> rendered_;  // bounded: emptied when it holds too many
};

}  // namespace sim::elevenlabs
