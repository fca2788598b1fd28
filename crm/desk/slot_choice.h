#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crm/desk/desk_task.h"
#include "crm/store/slots.h"

namespace crm {

/// The slot that the request names, or why the caller cannot have it and what else there is.
using SlotChoice = std::variant<Slot, DeskAnswer>;

/// Checked against opening hours, the grid of slots, lead time, booking days and what is taken, in the transaction that
/// will take it. `moving` is an appointment that would make way. Of a clock time that comes twice, the first that is
/// free.
base::Async<base::Result<SlotChoice>> choose_slot(pg::Session& session, DeskTask const& task,
                                                  std::optional<std::string> moving);
/// What is free from the named time on, else the first there is: three at most.
base::Async<base::Result<std::vector<Slot>>> next_free_slots(pg::Session& session, DeskTask const& task,
                                                             std::optional<std::string> moving);

}  // namespace crm
