#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/http.h"
#include "loadtest/sim/crm/hubspot_store.h"

namespace sim::crm {

/// HubSpot's error body; `errors` is a JSON array or empty.
net::Response hubspot_error(unsigned status, std::string_view category, std::string_view message,
                            std::string const& errors = {});
net::Response hubspot_error(HubSpotError const& error);
/// The 429, whose body has another shape than every other error.
net::Response hubspot_limit(std::string_view policy);
/// Any error status with the body that HubSpot has for it.
net::Response hubspot_status(unsigned status, std::string_view policy);

/// What the paths of both families come to.
struct HubSpotPath {
  bool is_dated = false;
  enum class Kind { unknown, account, token, objects, properties } kind = Kind::unknown;
  std::string type;
  std::vector<std::string> rest;  ///< Decoded pieces after the type.
  bool is_search() const { return kind == Kind::objects && rest.size() == 1 && rest[0] == "search"; }
};
HubSpotPath read_hubspot_path(std::string_view path);

/// The answer to a request that may be answered.
net::Response answer_objects(HubSpotStore& store, HubSpotPath const& path, net::Request const& request,
                             base::TimeSource::Wall now);
net::Response answer_properties(HubSpotStore& store, HubSpotPath const& path, net::Request const& request);

}  // namespace sim::crm
