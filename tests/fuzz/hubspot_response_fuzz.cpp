#include <cstdlib>

#include "crm/adapters/hubspot/fault.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace crm::hubspot;
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  auto const is_id = [](std::string_view id) {
    return !id.empty() && id.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (auto const object = decode_object(text); object && !is_id(object->id)) std::abort();
  if (auto const batch = decode_batch(text))
    for (auto const& object : batch->results)
      if (!is_id(object.id)) std::abort();
  if (auto const hits = decode_search(text))
    for (auto const& hit : *hits)
      if (!is_id(hit.id)) std::abort();
  (void)decode_schema(text);
  (void)decode_property(text);
  (void)decode_account(text);
  auto const refusal = decode_refusal(text);
  if (!refusal.existing_id.empty() && !is_id(refusal.existing_id)) std::abort();
  for (unsigned const status : {400u, 403u, 429u, 503u}) {
    net::Response const response{status, {}, std::string{text}};
    auto const fault = denial_of(response, Effect::write, std::chrono::hours{1}).fault;
    // Nothing of their prose: an "@" could come from nowhere else.
    if (fault.detail.find('@') != std::string::npos || fault.request_id.size() > 100) std::abort();
  }
  return 0;
}
