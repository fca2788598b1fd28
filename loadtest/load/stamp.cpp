#include "loadtest/load/stamp.h"

#include <algorithm>
#include <cstring>

namespace sim::load {
namespace {

constexpr std::uint16_t magic = 0x5A7C;

struct Layout {
  std::uint16_t magic;
  std::uint16_t check;
  std::uint32_t call;
  std::uint32_t frame;
  std::uint32_t lateness_ns;
  std::int64_t sent_ns;
};
static_assert(sizeof(Layout) == stamp_bytes);

std::uint16_t check_of(Layout const& layout) {
  auto mixed = (std::uint64_t{layout.call} << 32 | layout.frame) * 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 29) ^ static_cast<std::uint64_t>(layout.sent_ns)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 32) ^ layout.lateness_ns) * 0x94D049BB133111EBULL;
  return static_cast<std::uint16_t>(mixed >> 48);
}

constexpr std::size_t tail_bytes = media::mulaw_frame_bytes - stamp_bytes;

// Loud enough for a turn detector that goes by the level, and of no two neighbours alike, so that a shift shows.
constexpr auto tail = [] {
  std::array<std::uint8_t, tail_bytes> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(((i * 37) % 61 + 0x21) | ((i & 4) << 5));
  return bytes;
}();

bool is_silence(std::span<std::uint8_t const> audio) {
  return std::ranges::all_of(audio, [](auto byte) { return byte == media::mulaw_silence || byte == 0x7F; });
}

}  // namespace

std::array<std::uint8_t, media::mulaw_frame_bytes> unstamped_frame() {
  std::array<std::uint8_t, media::mulaw_frame_bytes> frame{};
  std::ranges::copy(tail, frame.begin() + stamp_bytes);
  return frame;
}

void write_stamp(Stamp const& stamp, std::span<std::uint8_t, stamp_bytes> out) {
  Layout layout{magic, 0, stamp.call, stamp.frame, stamp.lateness_ns, stamp.sent_ns};
  layout.check = check_of(layout);
  std::memcpy(out.data(), &layout, sizeof layout);
}

std::optional<Stamp> read_stamp(std::span<std::uint8_t const, media::mulaw_frame_bytes> frame) {
  Layout layout;
  std::memcpy(&layout, frame.data(), sizeof layout);
  if (layout.magic != magic || layout.check != check_of(layout)) return std::nullopt;
  if (std::memcmp(frame.data() + stamp_bytes, tail.data(), tail_bytes) != 0) return std::nullopt;
  return Stamp{layout.call, layout.frame, layout.sent_ns, layout.lateness_ns};
}

void StampReader::take(std::span<std::uint8_t const> audio, StampEvents& events) {
  while (kept_ > 0 && !audio.empty()) {
    auto const added = std::min(audio.size(), kept_bytes_.size() - kept_);
    std::memcpy(kept_bytes_.data() + kept_, audio.data(), added);
    auto const before = kept_;
    kept_ += added;
    auto const used = scan(std::span{kept_bytes_}.first(kept_), events);
    if (used >= before) {
      // The rest is read where it lies.
      audio = audio.subspan(used - before);
      kept_ = 0;
      break;
    }
    audio = audio.subspan(added);
    std::memmove(kept_bytes_.data(), kept_bytes_.data() + used, kept_ - used);
    kept_ -= used;
  }
  if (audio.empty()) return;
  auto const rest = audio.subspan(scan(audio, events));
  std::memcpy(kept_bytes_.data(), rest.data(), rest.size());
  kept_ = rest.size();
}

/// Returns how many bytes are done with; less than a frame is left.
std::size_t StampReader::scan(std::span<std::uint8_t const> audio, StampEvents& events) {
  std::size_t at = 0;
  while (audio.size() - at >= media::mulaw_frame_bytes) {
    auto const frame = audio.subspan(at).first<media::mulaw_frame_bytes>();
    if (auto const stamp = read_stamp(frame)) {
      is_damaged_ = false;
      events.on_stamp(*stamp);
      at += frame.size();
    } else if (is_silence(frame)) {
      is_damaged_ = false;
      at += frame.size();
    } else {
      if (!is_damaged_ && !is_silence(frame.first(1))) {
        is_damaged_ = true;
        events.on_damage();
      }
      ++at;
    }
  }
  return at;
}

}  // namespace sim::load
