#pragma once
#include <chrono>

namespace crm {

/// How long to wait after the `attempt`-th failure (1 is the first): full jitter, a random part of a span that doubles
/// with every attempt. `dice` is from [0, 1).
std::chrono::milliseconds backoff(int attempt, std::chrono::milliseconds first, std::chrono::milliseconds longest,
                                  double dice);

}  // namespace crm
