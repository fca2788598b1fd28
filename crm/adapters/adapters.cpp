#include "crm/adapters/adapters.h"

#include <algorithm>
#include <span>

namespace crm {
namespace {

struct Provider {
  std::string_view name;
  std::unique_ptr<Adapter> (*make)(AdapterSettings settings, net::HttpClient& http, base::TimeSource& time);
};

/// One line a CRM.
std::span<Provider const> providers() {
  return {};
}

}  // namespace

bool has_adapter(std::string_view provider) {
  return std::ranges::find(providers(), provider, &Provider::name) != providers().end();
}

std::unique_ptr<Adapter> make_adapter(std::string_view provider, AdapterSettings settings, net::HttpClient& http,
                                      base::TimeSource& time) {
  auto const found = std::ranges::find(providers(), provider, &Provider::name);
  return found == providers().end() ? nullptr : found->make(std::move(settings), http, time);
}

}  // namespace crm
