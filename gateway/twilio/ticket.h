#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/result.h"
#include "gateway/base/secret.h"
#include "gateway/base/time_source.h"

namespace gateway::twilio {

/// What a media socket's ticket says: this call of this tenant may open one stream, until then.
struct TicketClaims {
  base::TenantId tenant;
  base::CallSid call_sid;
  std::string node;        ///< Who issued it.
  std::string nonce = {};  ///< Spend it once: the caller of `verify` remembers it until `expires`.
  base::TimeSource::Wall expires = {};

  bool operator==(TicketClaims const&) const = default;
};

inline constexpr auto ticket_lifetime = std::chrono::seconds{60};

/// Issues and reads tickets `v1.<kid>.<payload>.<HMAC-SHA256>`. All nodes hold the same key, so any of them can read
/// the ticket of a dead one. The text is visible to whoever sees the TwiML: it proves a call, it hides nothing.
/// Thread-safe.
class TicketOffice {
 public:
  /// New tickets carry `key`; those of `retired` keys are still read, for a change of keys without lost calls. Throws
  /// std::invalid_argument for a key under 16 bytes.
  explicit TicketOffice(base::Secret key, std::vector<base::Secret> retired = {});

  /// At most 350 characters for usual ids, well within what a <Parameter> takes. An empty nonce is drawn at random; an
  /// expiry that is not set or later becomes `now` + 60 s.
  std::string issue(TicketClaims claims, base::TimeSource::Wall now) const;

  /// Fault::refused for a forged, altered or unknown text, Fault::timed_out for an expired ticket. One that claims to
  /// live longer than a ticket does is refused too. Does not know whether it was spent before.
  base::Result<TicketClaims> verify(std::string_view ticket, base::TimeSource::Wall now) const;

 private:
  struct Key {
    std::string kid;  ///< Eight hex digits that follow from the key.
    base::Secret secret;
  };
  std::vector<Key> keys_;  ///< The first one issues.
};

}  // namespace gateway::twilio
