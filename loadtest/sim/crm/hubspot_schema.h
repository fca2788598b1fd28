#pragma once
#include <string_view>
#include <vector>

#include "loadtest/sim/crm/hubspot_store.h"

namespace sim::crm {

/// The properties that every account has of a type, as far as anything here uses them.
std::vector<HubSpotProperty> their_properties(std::string_view type);

}  // namespace sim::crm
