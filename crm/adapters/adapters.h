#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "crm/outbox/adapter.h"
#include "gateway/base/secret.h"
#include "gateway/net/http_client.h"

namespace crm {

/// What a tenant has set for an integration.
struct AdapterSettings {
  std::string json;  ///< Each adapter reads its own.
  base::Secret secret;
};

/// Whether there is an adapter of that name.
bool has_adapter(std::string_view provider);

/// Null when there is none of that name, or it cannot use these settings.
std::unique_ptr<Adapter> make_adapter(std::string_view provider, AdapterSettings settings, net::HttpClient& http,
                                      base::TimeSource& time);

}  // namespace crm
