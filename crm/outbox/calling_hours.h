#pragma once
#include <optional>
#include <string>

#include "crm/model/business_hours.h"
#include "crm/model/call_record.h"

namespace crm {

/// How long a text counts as the answer to what somebody asks for on the phone. One that could not be sent meanwhile is
/// no answer any more, and nobody wants it at night.
inline constexpr auto answer_span = std::chrono::minutes{30};

/// From when a text may be sent: `now` within the hours by the recipient's clock, else when they begin next. The
/// recipient's zone when it is known and exists, else the tenant's; nothing when that does not exist either, for who
/// does not know what time it is there writes at no time. Pure but for the system's zone files.
std::optional<Wall> may_write_from(Wall now, HoursOfDay const& hours,
                                   std::optional<std::string> const& zone_of_recipient,
                                   std::string const& zone_of_tenant);

}  // namespace crm
