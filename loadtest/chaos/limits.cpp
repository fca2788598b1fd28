#include "loadtest/chaos/limits.h"

#include <fmt/format.h>

namespace sim::chaos {

std::vector<std::string> exceeded(Limits const& limits, Delays const& undisturbed, std::int64_t most_at_once) {
  std::vector<std::string> said;
  auto const judge = [&](std::string_view what, std::int64_t took_ms, std::optional<std::chrono::milliseconds> limit) {
    if (limit && took_ms > limit->count())
      said.push_back(fmt::format("{}: {} ms, allowed are {} ms", what, took_ms, limit->count()));
  };
  judge("outcome after hang-up, p99", undisturbed.outcome.p99_ms, limits.outcome_p99);
  judge("receiver told after hang-up, p95", undisturbed.told.p95_ms, limits.told_p95);
  judge("text message after booking, p95", undisturbed.texted.p95_ms, limits.told_p95);
  if (limits.outcome_p99 && undisturbed.never_seen > 0)
    said.push_back(fmt::format("{} outcomes were not seen to appear", undisturbed.never_seen));
  if (most_at_once < limits.calls_at_once)
    said.push_back(fmt::format("{} calls were up at once, not {}", most_at_once, limits.calls_at_once));
  return said;
}

}  // namespace sim::chaos
