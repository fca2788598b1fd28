#pragma once
#include <functional>

#include "crm/model/integration.h"
#include "gateway/base/async.h"
#include "gateway/base/secret.h"
#include "gateway/base/time_source.h"

namespace crm {

/// Opens the sealed secret of an integration. Fault::unavailable or Fault::timed_out when it may succeed later,
/// anything else when somebody must give the secret again.
using Reveal = std::function<base::Async<base::Result<base::Secret>>(Integration integration, base::Instant deadline)>;

}  // namespace crm
