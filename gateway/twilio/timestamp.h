#pragma once
#include <optional>
#include <string_view>

#include "gateway/base/time_source.h"

namespace gateway::twilio {

/// Both forms Twilio uses: RFC 2822 in call progress events ("Sun, 25 Mar 2018 09:53:19 +0000") and ISO 8601 with up to
/// nine decimals in stream events ("2024-11-29T00:09:39.602648368Z"). Nothing for any other text or an impossible date.
std::optional<base::TimeSource::Wall> parse_timestamp(std::string_view text);

}  // namespace gateway::twilio
