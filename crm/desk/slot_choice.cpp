#include "crm/desk/slot_choice.h"

#include "crm/desk/answers.h"
#include "crm/desk/local_time.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr int most_offered = 3;
constexpr int all_of_three_days = 1000;  // 5-minute slots: 864

SlotSearch search_of(DeskTask const& task, std::optional<std::string> const& moving) {
  SlotSearch search;
  search.tenant = task.caller.tenant;
  search.now = task.now;
  search.call = task.caller.call;
  search.moving = moving;
  search.minutes = task.booked.minutes;
  search.calendar = task.booked.calendar;
  return search;
}

/// From the day before to the day after: which of them a moment belongs to depends on the zone.
void around(SlotSearch& search, NamedTime const& time) {
  auto const day = std::chrono::floor<std::chrono::days>(time.clock);
  search.from_day = iso_day(day - std::chrono::days{1});
  search.to_day = iso_day(day + std::chrono::days{1});
}

bool is_named(Slot const& slot, NamedTime const& time) {
  if (auto const moment = moment_of(time)) return slot.starts_at == *moment;
  auto const since_epoch = std::chrono::floor<std::chrono::seconds>(slot.starts_at).time_since_epoch();
  return since_epoch + slot.utc_offset == time.clock.time_since_epoch();
}

std::optional<Slot> named_slot(std::vector<Slot> const& slots, NamedTime const& time) {
  std::optional<Slot> found;
  for (auto const& slot : slots) {
    bool const better = is_named(slot, time) && (!found || (found->taken && !slot.taken));
    if (better) found = slot;
  }
  return found;
}

struct Objection {
  std::string_view reason;
  std::string_view say;
};

std::optional<Objection> objection_to(std::optional<Slot> const& slot) {
  if (!slot) return Objection{"outside_hours", "We have no appointment at that time."};
  if (slot->too_soon) return Objection{"too_soon", "That is too soon for us."};
  if (slot->too_far) return Objection{"too_far", "We do not book that far ahead yet."};
  if (slot->taken) return Objection{"taken", "That time is taken."};
  return std::nullopt;
}

}  // namespace

Async<Result<SlotChoice>> choose_slot(pg::Session& session, DeskTask const& task, std::optional<std::string> moving) {
  auto const time = parse_time(task.parameters.start.value_or(""));
  if (!time) co_return refusal("invalid_start", "Which day and what time would you like?");
  auto search = search_of(task, moving);
  around(search, *time);
  search.only_free = false;
  search.limit = all_of_three_days;
  auto const slots = co_await find_slots(session, std::move(search));
  if (!slots) co_return std::unexpected{slots.error()};
  auto const slot = named_slot(*slots, *time);
  auto const objection = objection_to(slot);
  if (!objection) co_return *slot;
  auto const others = co_await next_free_slots(session, task, moving);
  if (!others) co_return std::unexpected{others.error()};
  co_return refusal_with_slots(objection->reason, objection->say, *others);
}

Async<Result<std::vector<Slot>>> next_free_slots(pg::Session& session, DeskTask const& task,
                                                 std::optional<std::string> moving) {
  auto search = search_of(task, moving);
  search.limit = most_offered;
  if (auto const time = parse_time(task.parameters.start.value_or(""))) {
    auto after = search;
    auto const day = std::chrono::floor<std::chrono::days>(time->clock);
    after.from_day = iso_day(day - std::chrono::days{1});
    after.to_day = iso_day(day + std::chrono::days{14});
    after.not_before = moment_of(*time);
    after.not_before_local = iso_clock(time->clock);
    auto found = co_await find_slots(session, std::move(after));
    if (!found || !found->empty()) co_return found;
  }
  search.to_day = iso_day(std::chrono::local_days{std::chrono::floor<std::chrono::days>(task.now).time_since_epoch() +
                                                  std::chrono::days{61}});
  co_return co_await find_slots(session, std::move(search));
}

}  // namespace crm
