#pragma once
// What HubSpot answers, as plain structs. Decoders are pure, take any bytes, and cut what they keep.
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crm/adapters/hubspot/mapping.h"
#include "gateway/base/result.h"

namespace crm::hubspot {

/// A contact, call, meeting or lead as it is there. Unset properties are missing.
struct RemoteObject {
  std::string id;  ///< Digits.
  Properties properties;
  bool is_new = false;  ///< Upserts only.
};

/// Why HubSpot did not do something. Every member may be empty: so may every member of their answer. Nothing of their
/// prose is kept, since it repeats names and addresses.
struct Refusal {
  std::string category;                  ///< VALIDATION_ERROR, CONFLICT, …; capitals and underscores.
  std::string policy;                    ///< Of a 429: TEN_SECONDLY_ROLLING, SECONDLY or DAILY.
  std::string request_id;                ///< Their correlation id.
  std::string existing_id;               ///< Of a conflict: whom it is with.
  std::set<std::string> bad_properties;  ///< Internal names.
  std::set<std::string> bad_values;      ///< Why those are bad: PROPERTY_DOESNT_EXIST, INVALID_OPTION, …
  std::set<std::string> missing_scopes;
};

struct BatchAnswer {
  std::vector<RemoteObject> results;
  std::vector<Refusal> errors;
};

struct Account {
  std::string portal_id;
  std::chrono::minutes utc_offset{0};
};

/// Fault::protocol for what is not whole JSON of that shape.
base::Result<RemoteObject> decode_object(std::string_view text);
base::Result<BatchAnswer> decode_batch(std::string_view text);
base::Result<std::vector<RemoteObject>> decode_search(std::string_view text);
base::Result<Schema> decode_schema(std::string_view text);
base::Result<PropertyDefinition> decode_property(std::string_view text);
base::Result<Account> decode_account(std::string_view text);
/// Of any text, also one that is no JSON.
Refusal decode_refusal(std::string_view text);

}  // namespace crm::hubspot
