#pragma once
// Everything that comes in from outside, once: what is here has been acknowledged to its sender and will be applied.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crm/pg/session.h"

namespace crm {

enum class InboxStatus { received, applied, quarantined };

struct InboxDelivery {
  std::string source;  ///< "elevenlabs".
  std::string key;     ///< The same for the same delivery.
  std::string body;    ///< Byte for byte as it came.
  InboxStatus status = InboxStatus::received;
  std::string error;  ///< Why it is quarantined, or why there was nothing to apply; without anything of the body.
};

/// False when this delivery is there already; then nothing changes.
base::Async<base::Result<bool>> keep_delivery(pg::Session& session, InboxDelivery delivery);

/// Where a walk through what has not been applied stands.
struct InboxPlace {
  std::string received_at = "-infinity";
  std::string key;
  bool is_stale = false;  ///< Waits longer than `stale_after`.
};
/// What comes after `place`, oldest first, at most 50. With `recent_only`, what came in the last two minutes.
base::Async<base::Result<std::vector<InboxPlace>>> waiting_deliveries(pg::Session& session, std::string source,
                                                                      InboxPlace place, bool recent_only,
                                                                      std::chrono::seconds stale_after);

/// The body, locked until the transaction ends; nothing when it has been applied or somebody else has it in hand.
base::Async<base::Result<std::optional<std::string>>> take_delivery(pg::Session& session, std::string source,
                                                                    std::string key);

/// `conversation_id` finds the tenant, whose row it becomes.
base::Async<base::Result<>> mark_applied(pg::Session& session, std::string const& source, std::string const& key,
                                         std::string const& conversation_id);
base::Async<base::Result<>> quarantine_delivery(pg::Session& session, std::string const& source, std::string const& key,
                                                std::string const& error);

/// Deletes what is older than `age` and applied or quarantined, `most` at a time: raw texts are not kept for ever. How
/// many that were.
base::Async<base::Result<std::int64_t>> forget_deliveries(pg::Session& session, std::chrono::hours age, int most);

}  // namespace crm
