#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/model/service.h"
#include "crm/pg/session.h"

namespace crm {

/// One time that a business could give away: every tenants.slot_minutes of the opening hours, counted in real minutes
/// from each opening, as long as what is booked fits before the closing. Where the clocks change, a window is as long
/// as it really is: nothing begins in the hour that does not exist, and what comes twice is offered twice. An opening
/// time that does not exist that day is as much later as the clock jumps; one that comes twice is the second.
struct Slot {
  Wall starts_at{};
  Wall ends_at{};
  std::chrono::seconds utc_offset{0};  ///< Of the tenant's zone at the start.
  bool too_soon = false;               ///< Sooner than tenants.lead_minutes from now, or over.
  bool too_far = false;                ///< Beyond tenants.booking_days.
  bool taken = false;
};

struct SlotSearch {
  base::TenantId tenant;
  Wall now{};
  std::optional<std::string> from_day;          ///< "2026-03-31", a day of the tenant's zone; today when missing.
  std::optional<std::string> to_day;            ///< Two weeks from the first day when missing, 62 days at most.
  std::optional<Wall> not_before;               ///< Nothing that begins earlier,
  std::optional<std::string> not_before_local;  ///< or earlier than this in the tenant's zone, "2026-03-31T09:00:00".
  base::CallId call;                            ///< What this call holds is free for it.
  std::optional<std::string> moving;            ///< An appointment that would make way.
  std::optional<int> minutes;                   ///< How long it takes; tenants.slot_minutes when missing.
  std::string calendar = main_calendar;         ///< In which it must be free.
  bool only_free = true;                        ///< Else all, with what speaks against each.
  int limit = 6;
};

/// By start. A hold that has ended takes nothing.
base::Async<base::Result<std::vector<Slot>>> find_slots(pg::Session& session, SlotSearch search);

}  // namespace crm
