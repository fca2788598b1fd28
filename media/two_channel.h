#pragma once
// The stereo recording of a call, put together from pieces that know their position in time.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/frame.h"

namespace media {

enum class Side { caller, agent };  ///< Left and right channel.

/// Takes mu-law of both sides, each piece stamped with its position in ms since the start of the call, and appends
/// finished audio to `out`: PCM at 8000 Hz, caller (left) and agent (right) alternating. The agent's audio goes in as
/// it is played, not as it arrives in bursts. Pure: WavWriter makes the file.
///
/// The result is as long as the call, whatever arrives:
/// - where nothing was said there is silence;
/// - a piece that begins within `snap` of the end of its side follows that end without a seam, because stamps jitter
/// and a
///   cut of a few samples is a click; a larger difference is a real gap or overlap;
/// - audio that is in place stays: of a later piece only what falls into silence is used, so a repeated piece changes
///   nothing and an early one loses its head;
/// - what arrives after its time has been emitted, or more than `horizon` ahead of everything known, is dropped and
/// counted.
///
/// A point in time is emitted when both sides have passed it, when `advance_to` says so, or when one side is `window`
/// ahead: that bounds memory to 8 bytes per ms and side, 80 KB in all. A recorder calls `advance_to` every second or
/// so.
class TwoChannelTimeline {
 public:
  using Milliseconds = std::chrono::milliseconds;

  static constexpr Milliseconds snap{10};      ///< Less than a frame: a lost frame stays a gap.
  static constexpr Milliseconds window{5000};  ///< Most audio held back for the other side.
  static constexpr Milliseconds horizon{30000};

  /// Places a piece whose first sample is at `at`.
  void add(Side side, Milliseconds at, std::span<std::uint8_t const> mulaw, std::vector<std::int16_t>& out);

  /// Emits everything before `now`: nothing older will come. The caller leaves late audio its time by staying behind.
  void advance_to(Milliseconds now, std::vector<std::int16_t>& out);

  /// Emits what is left, up to the end of the longer side.
  void finish(std::vector<std::int16_t>& out);

  /// Samples emitted of each channel, divided by 8: the length of the recording.
  Milliseconds emitted() const { return Milliseconds{emitted_ / samples_per_ms}; }

  /// Samples of this side that found no place because they came too late, too early or where audio was already.
  std::uint64_t dropped(Side side) const { return track(side).dropped; }

 private:
  static constexpr std::int64_t samples_per_ms = telephone_rate / 1000;

  struct Track {
    std::vector<std::uint8_t> codes;  // from emitted_ on; where nothing was said yet stands `hole`
    std::uint64_t dropped = 0;
  };

  Track& track(Side side) { return tracks_[static_cast<std::size_t>(side)]; }
  Track const& track(Side side) const { return tracks_[static_cast<std::size_t>(side)]; }
  std::int64_t end(Track const& track) const { return emitted_ + static_cast<std::int64_t>(track.codes.size()); }
  static void place(Track& track, std::size_t at, std::span<std::uint8_t const> mulaw);
  void emit_until(std::int64_t position, std::vector<std::int16_t>& out);

  std::array<Track, 2> tracks_;
  std::int64_t emitted_ = 0;  // samples since the start of the call
};

}  // namespace media
