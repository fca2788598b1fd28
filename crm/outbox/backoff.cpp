#include "crm/outbox/backoff.h"

#include <algorithm>

namespace crm {

std::chrono::milliseconds backoff(int attempt, std::chrono::milliseconds first, std::chrono::milliseconds longest,
                                  double dice) {
  constexpr int most_doublings = 20;
  std::int64_t const doubled = std::int64_t{1} << std::clamp(attempt - 1, 0, most_doublings);
  auto const span = std::min(longest.count(), first.count() * doubled);
  return std::chrono::milliseconds{static_cast<std::int64_t>(static_cast<double>(span) * dice)};
}

}  // namespace crm
