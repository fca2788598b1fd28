#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/ids.h"

namespace crm {

using ContactId = base::Id<struct ContactIdTag>;  ///< "con_…".

/// Somebody the business knows, by a number, an e-mail address or a name. A number is one contact's own in a tenant.
struct Contact {
  ContactId id;
  base::TenantId tenant;
  std::string full_name;
  std::string phone_e164;  ///< Empty when unknown.
  std::string email = {};  ///< Lower case; empty when unknown.
  std::string company = {};
  std::vector<std::string> tags = {};
  std::map<std::string, std::string> custom_fields = {};
  std::string source = "manual";             ///< "call" when a call was the first we heard of them.
  std::optional<std::string> timezone = {};  ///< IANA name, when it is not the tenant's.
  std::string consent_json = "{}";  ///< What they agreed to, when and how: {"sms": {"given": false, …}} wants no texts.
  bool do_not_contact = false;
  std::vector<std::string> typed_fields = {};  ///< Columns that a person typed: no call changes those.
};

}  // namespace crm
