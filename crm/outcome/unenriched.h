#pragma once
// Calls that are over and of which the agent's provider has not told anything yet.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

struct UnenrichedCall {
  base::TenantId tenant;
  base::CallId call;
  std::string conversation_id;
  std::optional<Wall> ended_at;
  int polls = 0;                     ///< This one included.
  std::chrono::milliseconds left{};  ///< Until it is too old to be asked for.
};

struct UnenrichedTerms {
  int most = 20;
  std::chrono::milliseconds after{};   ///< Since the outcome stands; at once when the call's gateway was lost.
  std::chrono::milliseconds oldest{};  ///< Older outcomes are left as they are.
  std::chrono::milliseconds lease{};   ///< For so long nobody else gets them.
};

/// Takes those that are due, the one that waits longest first; none that another process has in hand.
base::Async<base::Result<std::vector<UnenrichedCall>>> lease_unenriched(pg::Session& session, UnenrichedTerms terms);

/// To be asked for again after that time.
base::Async<base::Result<>> poll_later(pg::Session& session, UnenrichedCall const& call,
                                       std::chrono::milliseconds later);

/// Never again; `why` is for a person to read, without anything the provider wrote.
base::Async<base::Result<>> end_polling(pg::Session& session, UnenrichedCall const& call, std::string why);

}  // namespace crm
