#pragma once
// Cuts mu-law of any chunk size into whole telephone frames. A frame cut short in the middle of a word is the click
// that callers hear when a gateway forwards an agent's chunks as they come, so the tail waits for the next chunk.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/frame.h"

namespace media {

class Framer {
 public:
  /// Appends every frame that `mulaw`, after the bytes kept from before, completes.
  void push(std::span<std::uint8_t const> mulaw, std::vector<MulawFrame>& frames);

  /// Appends the kept bytes as a last frame, padded with silence; nothing when no bytes are kept.
  void flush(std::vector<MulawFrame>& frames);

  /// Forgets the kept bytes: the utterance they belong to was interrupted.
  void clear() { kept_ = 0; }

  /// Bytes waiting for the rest of their frame, 0 to 159.
  std::size_t pending_bytes() const { return kept_; }

 private:
  MulawFrame partial_;
  std::size_t kept_ = 0;
};

}  // namespace media
