#include <cstdlib>

#include "gateway/net/url.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const url = net::parse_url({reinterpret_cast<char const*>(data), size});
  if (!url) return 0;
  if (url->host.empty() || url->port_or_default() == 0 || !url->target().starts_with('/')) std::abort();
  auto const again = net::parse_url(net::to_string(*url));
  if (!again || *again != *url) std::abort();
  return 0;
}
