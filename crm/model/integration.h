#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ids.h"

namespace crm {

using IntegrationId = base::Id<struct IntegrationIdTag>;  ///< "int_…".

/// What may be told to an integration: only an active one gets anything, for the others it waits.
enum class IntegrationStatus { active, needs_reauth, disabled };

constexpr std::string_view to_string(IntegrationStatus status) {
  switch (status) {
    case IntegrationStatus::active:
      return "active";
    case IntegrationStatus::needs_reauth:
      return "needs_reauth";
    case IntegrationStatus::disabled:
      return "disabled";
  }
  return "disabled";
}

/// Another system that a tenant wants told.
struct Integration {
  base::TenantId tenant;
  IntegrationId id;
  std::string provider;  ///< "webhook", or a CRM of crm/adapters/adapters.h.
  std::string name;      ///< The tenant's own word for it, unique within the tenant.
  IntegrationStatus status = IntegrationStatus::active;
  std::string settings_json = "{}";
  std::optional<std::string> sealed_secret;  ///< Ciphertext of the vault.
  std::vector<std::string> events;           ///< Empty: everything.
};

}  // namespace crm
