#pragma once
#include <string>
#include <string_view>

#include "crm/model/business_hours.h"

namespace crm {

/// {"mon": [["09:00", "12:00"], …], …} as tenants.opening_hours keeps it; closed days are missing.
std::string opening_hours_json(OpeningHours const& hours);
/// What cannot be read is left out, as if it were closed then.
OpeningHours read_opening_hours(std::string_view json);

/// {"from": "08:00", "to": "21:00"} as tenants.calling_hours keeps it.
std::string calling_hours_json(HoursOfDay const& hours);
/// usual_calling_hours when it cannot be read.
HoursOfDay read_calling_hours(std::string_view json);

}  // namespace crm
