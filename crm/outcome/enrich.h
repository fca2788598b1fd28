#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

/// What the agent's provider says about a conversation after it: nice to have, never the record of the call.
struct Enrichment {
  enum class From { webhook, poll };
  std::string conversation_id;
  From from = From::webhook;
  Wall at{};  ///< When the provider said so; of two, the later word stands.
  std::optional<std::string> summary;
  std::optional<std::string> evaluation_json;  ///< A JSON object, like the next.
  std::optional<std::string> collected_json;
  std::vector<std::string> quarantine;  ///< What was there and could not be understood: "field: why".
};

/// Adds it to the outcome of its call; a field that is not given keeps what it has. To be run in a transaction, safe to
/// repeat. False when the call has no outcome yet, or is not known: then it waits in the inbox (source "enrichment"),
/// and settle_call() takes it. In whatever order both and several of them come, the outcome is the same in the end.
base::Async<base::Result<bool>> enrich_call(pg::Session& session, Enrichment enrichment);

}  // namespace crm
