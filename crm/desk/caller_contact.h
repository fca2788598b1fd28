#pragma once
#include <optional>
#include <string>

#include "crm/desk/desk_task.h"
#include "crm/model/contact.h"

namespace crm {

/// Whom the tenant knows the caller to be: whose number they call from; where several share it, the one whose name they
/// give; where it is withheld, whom this very call made known. A number that is merely dictated identifies nobody.
base::Async<base::Result<std::optional<Contact>>> find_caller(pg::Session& session, DeskTask const& task);

/// The contact to write things to, made when there is none yet: for the number they call from; where it is withheld,
/// for `dictated`, else for the name they gave. Nobody when there is nothing to go by, or when several share the
/// number and the name does not tell which. What the request says of name and e-mail is learned, and what
/// the call has booked for nobody is theirs.
base::Async<base::Result<std::optional<Contact>>> contact_of_caller(pg::Session& session, DeskTask const& task,
                                                                    std::optional<std::string> dictated);

}  // namespace crm
