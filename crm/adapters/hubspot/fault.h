#pragma once
// From what came back, or did not, to what the outbox does next.
#include "crm/adapters/hubspot/message.h"
#include "crm/outbox/adapter.h"
#include "gateway/net/http.h"

namespace crm::hubspot {

/// Whether the request could have changed something there: only then a lost answer is ambiguous.
enum class Effect { read, write };

/// No to one of our requests.
struct Denial {
  DeliveryFault fault;
  Refusal refusal;
  bool too_large = false;  ///< There was an answer, longer than we take.
};

/// When the day of an account ends whose clock is `utc_offset` ahead; nothing is known: look again in an hour.
std::chrono::milliseconds until_midnight(Wall now, std::optional<std::chrono::minutes> utc_offset);

/// Of an answer that is not 2xx.
Denial denial_of(net::Response const& response, Effect effect, std::chrono::milliseconds rest_of_day);
/// Of one item of a batch that was answered with 2xx.
Denial denial_of(Refusal refusal, int status, std::chrono::milliseconds rest_of_day);
/// Nothing that HTTP knows came back.
Denial denial_of(base::Error const& error, Effect effect);
/// A 2xx whose body is cut off or no JSON.
Denial unreadable(int status, Effect effect);

}  // namespace crm::hubspot
