#include "crm/outbox/calling_hours.h"

#include "gateway/base/zone.h"

namespace crm {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_seconds;

bool is_within(HoursOfDay const& hours, local_seconds clock) {
  auto const of_day = clock - floor<days>(clock);
  return of_day >= hours.from && of_day < hours.to;
}

bool exists(std::string const& zone, Wall now) {
  return base::local_time(now, zone).has_value();
}

}  // namespace

std::optional<Wall> may_write_from(Wall now, HoursOfDay const& hours,
                                   std::optional<std::string> const& zone_of_recipient,
                                   std::string const& zone_of_tenant) {
  auto const& zone = zone_of_recipient && exists(*zone_of_recipient, now) ? *zone_of_recipient : zone_of_tenant;
  auto const local = base::local_time(now, zone);
  if (!local) return std::nullopt;
  if (is_within(hours, local->time)) return now;
  // A day may begin later than it should, or not at all, where the clocks change: then the next one counts.
  for (auto day = floor<days>(local->time); day < local->time + days{7}; day += days{1}) {
    auto const begins = base::moment_at(day + hours.from, zone, now);
    if (!begins || !*begins) continue;
    auto const then = base::local_time(**begins, zone);
    if (then && is_within(hours, then->time)) return *begins;
  }
  return std::nullopt;
}

}  // namespace crm
