#pragma once
#include "crm/desk/desk_task.h"

namespace crm {

/// The tools that write something down for the business or to the caller.
base::Async<base::Result<DeskAnswer>> take_message(pg::Session& session, DeskTask const& task);
base::Async<base::Result<DeskAnswer>> update_contact(pg::Session& session, DeskTask const& task);
base::Async<base::Result<DeskAnswer>> send_sms(pg::Session& session, DeskTask const& task);

}  // namespace crm
