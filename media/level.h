#pragma once
// How loud a stretch of mu-law is. 0 dBFS is a sample of 32768; the loudest mu-law code reaches -0.17 dBFS.
#include <cstdint>
#include <span>

namespace media {

inline constexpr float silence_dbfs = -100.0F;  ///< What digital silence, or no audio at all, measures.

/// Above the noise of an idle telephone line (-60 to -50 dBFS), below quiet speech (about -40 dBFS on the phone).
inline constexpr float speech_threshold_dbfs = -45.0F;

/// Level of the loudest sample.
float peak_dbfs(std::span<std::uint8_t const> mulaw);

/// Root mean square over the whole stretch; a full-scale sine measures about -3.
float rms_dbfs(std::span<std::uint8_t const> mulaw);

/// True when the energy exceeds `speech_threshold_dbfs`. For simulators and meters: it hears a tone as speech too and
/// must not decide about barge-in.
bool sounds_like_speech(std::span<std::uint8_t const> mulaw);

}  // namespace media
