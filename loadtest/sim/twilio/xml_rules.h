#pragma once
#include <optional>
#include <string_view>

#include "loadtest/sim/twilio/violation.h"

namespace sim::twilio {

/// What XML 1.0 forbids and pugixml lets pass: text before the declaration, bytes that are not UTF-8, control
/// characters, unknown entities, a bare ampersand. A missing declaration counts too, since Twilio's own libraries
/// always write it.
std::optional<Violation> broken_xml_rule(std::string_view text);

/// True when `element` may carry `attribute` in TwiML (helper library 6.2.0).
bool knows_attribute(std::string_view element, std::string_view attribute);

/// True when `child` may stand directly in `parent`.
bool knows_child(std::string_view parent, std::string_view child);

}  // namespace sim::twilio
