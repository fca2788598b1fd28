// Whatever the text: no byte is written outside, and what decodes encodes back to the very same text.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/base64.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  std::vector<std::uint8_t> bytes(base::base64_decoded_bound(size));
  auto const decoded = base::decode_base64(text, bytes);
  std::span<std::uint8_t const> const raw{data, size};
  std::string again;
  if (decoded) {
    base::append_base64(again, std::span{bytes}.first(*decoded));
    if (again != text) std::abort();
    std::vector<std::uint8_t> exact(*decoded);
    if (!base::decode_base64(text, exact)) std::abort();
    if (*decoded > 0 && base::decode_base64(text, std::span{exact}.first(*decoded - 1))) std::abort();
  }
  again.clear();
  base::append_base64(again, raw);
  std::vector<std::uint8_t> back(base::base64_decoded_bound(again.size()));
  auto const returned = base::decode_base64(again, back);
  if (!returned || *returned != size) std::abort();
  for (std::size_t i = 0; i < size; ++i) {
    if (back[i] != data[i]) std::abort();
  }
  return 0;
}
