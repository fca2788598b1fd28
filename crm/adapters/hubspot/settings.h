#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/secret.h"

namespace crm::hubspot {

/// HubSpot's two families of paths, which take the same bodies. The numbered one ends in September 2027; a dated one
/// comes out twice a year and lives 18 months.
enum class ApiVersion { v3, dated_2026_09 };

struct Settings {
  std::string base_url = "https://api.hubapi.com";  ///< The same for every region; without a slash at the end.
  base::Secret token;  ///< Private-app token, Service Key or OAuth access token: all are sent as a bearer.
  ApiVersion version = ApiVersion::dated_2026_09;
  /// Of numbers that people typed into the CRM without one; digits.
  std::string country_code = "1";
  /// Where tags and source go; written only when the account has a property of that name.
  std::string tags_property = "switchboard_tags";
  std::string source_property = "hs_lead_source";
  std::chrono::milliseconds request_timeout{10'000};
  /// How long the account's list of properties is believed.
  std::chrono::minutes schema_lifetime{60};
};

/// From the settings of an integration, a JSON object with any of base_url, api_version ("2026-09" or "v3"),
/// country_code, tags_property and source_property. Fault::protocol, naming the key, for anything else in it.
base::Result<Settings> read_settings(std::string_view json, base::Secret token);

/// The one place that knows where things are. Paths begin with "/"; ids and names are escaped here.
class Paths {
 public:
  explicit Paths(ApiVersion version) : version_{version} {}
  std::string account() const;
  std::string objects(std::string_view type) const;
  std::string object(std::string_view type, std::string_view id) const;
  std::string properties(std::string_view type) const;
  std::string property(std::string_view type, std::string_view name) const;
  /// Links two records with the default label.
  std::string link(std::string_view from, std::string_view id, std::string_view to, std::string_view to_id) const;

 private:
  ApiVersion version_;
};

}  // namespace crm::hubspot
