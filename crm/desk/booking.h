#pragma once
#include "crm/desk/desk_task.h"

namespace crm {

/// How long a caller may think about a time that is kept for them.
inline constexpr auto hold_length = std::chrono::minutes{5};

/// The tools that give times away. A Fault::conflict says that somebody outside the desk took the time meanwhile;
/// nothing is written then, and taken_meanwhile() is the answer.
base::Async<base::Result<DeskAnswer>> offer_slots(pg::Session& session, DeskTask const& task);
base::Async<base::Result<DeskAnswer>> hold_slot(pg::Session& session, DeskTask const& task);
base::Async<base::Result<DeskAnswer>> book_appointment(pg::Session& session, DeskTask const& task);

base::Async<base::Result<DeskAnswer>> taken_meanwhile(pg::Session& session, DeskTask const& task);

/// The dictated number in E.164, nothing when none was given, or the request to say it again.
struct DictatedNumber {
  std::optional<std::string> e164;
  std::optional<DeskAnswer> unclear;
};
DictatedNumber dictated_in(DeskTask const& task);

}  // namespace crm
