#pragma once
#include <optional>
#include <string>

#include "crm/pg/session.h"
#include "gateway/base/ids.h"

namespace crm {

/// What the desk did for a request of an agent and answered, kept in the inbox, so that the same request again is
/// answered the same and does nothing.
struct DeskRequestKey {
  base::TenantId tenant;
  base::CallId call;
  std::string request;  ///< The agent's id of its tool call.
};

base::Async<base::Result<std::optional<std::string>>> find_desk_answer(pg::Session& session, DeskRequestKey key);
/// Fault::conflict when there is an answer already.
base::Async<base::Result<>> keep_desk_answer(pg::Session& session, DeskRequestKey key, std::string answer_json);

}  // namespace crm
