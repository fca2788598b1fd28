#include "media/framer.h"

#include <algorithm>

namespace media {

void Framer::push(std::span<std::uint8_t const> mulaw, std::vector<MulawFrame>& frames) {
  while (!mulaw.empty()) {
    auto const taken = mulaw.first(std::min(mulaw.size(), mulaw_frame_bytes - kept_));
    std::ranges::copy(taken, partial_.bytes.data() + kept_);
    kept_ += taken.size();
    mulaw = mulaw.subspan(taken.size());
    if (kept_ < mulaw_frame_bytes) return;
    frames.push_back(partial_);
    kept_ = 0;
  }
}

void Framer::flush(std::vector<MulawFrame>& frames) {
  if (kept_ == 0) return;
  std::fill(partial_.bytes.begin() + static_cast<std::ptrdiff_t>(kept_), partial_.bytes.end(), mulaw_silence);
  frames.push_back(partial_);
  kept_ = 0;
}

}  // namespace media
