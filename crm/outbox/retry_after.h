#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "gateway/base/time_source.h"

namespace crm {

/// The value of a Retry-After header (RFC 9110, 10.2.3): seconds, or an HTTP date of which `now` is subtracted. At most
/// a day, never negative; nothing when it is neither.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, base::TimeSource::Wall now);

}  // namespace crm
