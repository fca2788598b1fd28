#include "crm/adapters/adapters.h"

#include <algorithm>
#include <array>
#include <span>

#include "crm/adapters/hubspot/hubspot.h"

namespace crm {
namespace {

struct Provider {
  std::string_view name;
  std::unique_ptr<Adapter> (*make)(AdapterSettings settings, net::HttpClient& http, base::TimeSource& time);
};

std::unique_ptr<Adapter> make_hubspot(AdapterSettings settings, net::HttpClient& http, base::TimeSource& time) {
  auto read = hubspot::read_settings(settings.json, std::move(settings.secret));
  if (!read) return nullptr;
  return std::make_unique<hubspot::HubSpot>(http, time, *std::move(read));
}

/// One line a CRM.
std::span<Provider const> providers() {
  static constexpr std::array all{Provider{"hubspot", make_hubspot}};
  return all;
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
