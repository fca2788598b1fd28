#pragma once
#include <optional>
#include <vector>

#include "crm/model/voice_agent.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::not_found when the tenant is unknown.
base::Async<base::Result<>> insert_agent(pg::Session& session, VoiceAgent agent);
/// Replaces everything but id and tenant. Fault::not_found when there is no such agent.
base::Async<base::Result<>> update_agent(pg::Session& session, VoiceAgent agent);
base::Async<base::Result<std::optional<VoiceAgent>>> find_agent(pg::Session& session, base::AgentId id);
/// Of one tenant, or all.
base::Async<base::Result<std::vector<VoiceAgent>>> list_agents(pg::Session& session,
                                                               std::optional<base::TenantId> tenant);
/// From a row with all columns of voice_agents.
VoiceAgent to_voice_agent(pg::Row const& row);

}  // namespace crm
