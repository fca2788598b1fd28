#pragma once
#include <filesystem>

#include "loadtest/chaos/gateway.h"
#include "loadtest/chaos/outside.h"

namespace sim::chaos {

/// The business whose telephone is called, with its agent, number and receiver, in a gateway that is ready. False when
/// that gateway tells nobody of events. Throws std::runtime_error when there is no business.
bool make_business(Gateway const& gateway, Outside const& outside, std::filesystem::path const& folder);

}  // namespace sim::chaos
