#include <cstdlib>

#include "gateway/net/form.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const body{reinterpret_cast<char const*>(data), size};
  auto const form = net::decode_form(body);
  if (!form) return 0;
  auto const again = net::decode_form(net::encode_form(*form), {.max_fields = 200, .max_bytes = 4 * 64 * 1024});
  // A field with neither name nor value is written as "=", so every field survives the round trip.
  if (!again || *again != *form) std::abort();
  if (net::percent_encode(body).size() > 3 * size) std::abort();
  return 0;
}
