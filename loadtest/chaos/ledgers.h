#pragma once
#include <optional>
#include <string>

#include "loadtest/chaos/check.h"
#include "loadtest/chaos/gateway.h"

namespace sim::chaos {

/// Everything the checker wants to know of the gateway's database, as it is now; nothing while the database is away.
std::optional<Found> read_database(Gateway const& gateway);

/// Records that `switchboard journal list` shows. Throws std::runtime_error when it cannot tell.
std::int64_t count_journal(Gateway const& gateway);

}  // namespace sim::chaos
