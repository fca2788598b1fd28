#pragma once
// Audio of the simulated people, always as telephone mu-law.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/result.h"

namespace sim::twilio {

using Mulaw = std::vector<std::uint8_t>;

/// Any WAV that media::parse_wav reads, mixed to one channel and brought to 8 kHz. Fault::protocol when it is no such
/// file.
base::Result<Mulaw> speech_from_wav(std::span<std::uint8_t const> file);
/// The same for a file on disk. Blocks on the disk.
base::Result<Mulaw> load_speech(std::filesystem::path const& path);
/// The caller's voice when none is given: the human recording that Debian's alsa-utils installs, else a warbling tone
/// that any level meter takes for speech.
Mulaw default_speech();
/// A file image of PCM16, 8 kHz, one channel.
std::string wav_of(std::span<std::uint8_t const> mulaw);

}  // namespace sim::twilio
