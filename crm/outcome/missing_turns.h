#pragma once
// A gateway that dies takes with it what it had not saved yet; the agent's provider still knows what was said.
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

/// One stretch of speech as the provider tells of it afterwards, storable and of limited length.
struct ToldTurn {
  Speaker role = Speaker::agent;
  std::string text;      ///< What it believes was spoken.
  std::string original;  ///< What the agent meant to say before it was interrupted; empty: the same.
  bool interrupted = false;
  Wall at{};  ///< To the second.
};

/// Turns the record lacks at its end, in their order. What the record has stays as it is: of the turns told, only those
/// behind the last one that it has too count. Nothing is known to have been heard of the agent's.
std::vector<CallTurn> missing_turns(CallRecord const& call, std::vector<ToldTurn> const& told);

/// Adds them to the record of that conversation's call, if the call was ended because its gateway was lost. To be run
/// in the transaction of enrich_call(), safe to repeat. How many were added.
base::Async<base::Result<std::size_t>> complete_lost_call(pg::Session& session, std::string conversation_id,
                                                          std::vector<ToldTurn> told);

}  // namespace crm
