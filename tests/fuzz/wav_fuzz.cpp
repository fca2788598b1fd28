// Whatever the bytes: a file is refused or yields whole frames, never more than one sample a byte.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "media/wav.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const wav = media::parse_wav(std::span{data, size});
  if (!wav) return 0;
  if (wav->channels == 0 || wav->rate == 0) std::abort();
  if (wav->samples.size() % wav->channels != 0) std::abort();
  if (wav->samples.size() > size) std::abort();
  auto const mixed = media::mono(*wav);
  if (mixed.channels != 1 || mixed.frames() != wav->frames()) std::abort();
  return 0;
}
