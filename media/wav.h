#pragma once
// WAV files: written while a call runs, read for prompts, tests and playback.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "gateway/base/result.h"

namespace media {

/// Decoded audio of a file. Samples of the channels alternate.
struct Wav {
  std::uint32_t rate = 0;      ///< Samples a second of each channel.
  std::uint16_t channels = 0;  ///< 1 to 64.
  std::vector<std::int16_t> samples;

  /// Samples of one channel.
  std::size_t frames() const { return channels == 0 ? 0 : samples.size() / channels; }
};

enum class Channels { as_stored, mono };

/// Averages the channels.
Wav mono(Wav const& wav);

/// Reads a RIFF/WAVE file held in memory: PCM of 8, 16, 24 or 32 bits, 32-bit float, mu-law or A-law, any rate. What
/// does not fit into 16 bits is rounded. A data chunk that promises more than is there (a writer that died, or one that
/// wrote to a pipe) yields what is there. `protocol`: not such a file.
base::Result<Wav> parse_wav(std::span<std::uint8_t const> bytes, Channels channels = Channels::as_stored);

/// `not_found`: no such file. `too_large`: over 1 GiB. Blocks on the disk.
base::Result<Wav> read_wav(std::filesystem::path const& path, Channels channels = Channels::as_stored);

/// Writes one channel of 16-bit PCM. `unavailable`: the disk refused. Blocks on the disk.
base::Result<> write_wav(std::filesystem::path const& path, std::span<std::int16_t const> samples, std::uint32_t rate);

/// Sets the sizes in the header of a file that WavWriter left behind when its process died, from the length of the
/// file, and cuts off half a sample at its end. Changes nothing when the sizes are right. `protocol`: the file does not
/// begin with WavWriter's header. Blocks on the disk.
base::Result<> repair_wav(std::filesystem::path const& path);

/// Writes 16-bit PCM to a file as it comes. The sizes in the header are brought up to date after every five seconds of
/// audio and at the end: when the process is killed, any player reads the file up to the last update, and `repair_wav`
/// recovers the rest. Blocks on the disk, so it has no place on a media core.
class WavWriter {
 public:
  /// Replaces the file. `channels` is 1 or 2. `unavailable`: the disk refused.
  static base::Result<WavWriter> create(std::filesystem::path const& path, std::uint32_t rate, std::uint16_t channels);

  /// Closes; call `close` to learn whether that worked.
  ~WavWriter();
  WavWriter(WavWriter&&) noexcept = default;
  WavWriter& operator=(WavWriter&&) = delete;

  /// Appends samples, those of two channels alternating; their number must be a multiple of the channels. `too_large`:
  /// the file would pass 4 GiB, nothing was written. `unavailable`: the disk refused; the file is closed then, and
  /// later writes are `refused`.
  base::Result<> write(std::span<std::int16_t const> samples);

  /// Completes the header. Further writes are refused.
  base::Result<> close();

  /// Samples of one channel written so far.
  std::uint64_t frames() const { return data_bytes_ / (2U * channels_); }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, CloseFile>;

  WavWriter(File file, std::uint32_t rate, std::uint16_t channels);
  base::Result<> update_header();
  std::unexpected<base::Error> give_up();

  File file_;
  std::uint32_t rate_;
  std::uint16_t channels_;
  std::uint64_t data_bytes_ = 0;
  std::uint64_t bytes_in_header_ = 0;
};

}  // namespace media
