#include "crm/store/slots.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

// PostgreSQL knows the zones' rules, so it also does the arithmetic: a local time becomes a moment once, at each
// opening and closing, and slots are counted between moments. They are in their order before anybody asks which are
// taken, so that the first three free ones do not cost as much as all. Who is in the way is found by the time at which
// it begins: nobody stays longer than a day.
constexpr pg::Query slots{
    "find_slots",
    "with business as ("
    "select timezone as zone, opening_hours, make_interval(mins => slot_minutes) as step, "
    "make_interval(mins => coalesce($11::int, slot_minutes)) as length, booking_days, "
    "$2::timestamptz + make_interval(mins => lead_minutes) as earliest, "
    "($2::timestamptz at time zone timezone)::date as today from tenants where id = $1"
    "), days as ("
    "select d::date as day, b.* from business b, "
    "generate_series(coalesce($3::date, b.today)::timestamp, "
    "least(coalesce($4::date, coalesce($3::date, b.today) + 13), coalesce($3::date, b.today) + 62)::timestamp, "
    "interval '1 day') d"
    "), windows as ("
    "select d.*, w.value as hours from days d, "
    "jsonb_array_elements(coalesce(d.opening_hours -> to_char(d.day, 'dy'), '[]')) w"
    "), starts as ("
    "select distinct s as starts_at, s + w.length as ends_at, w.zone, s < w.earliest as too_soon, "
    "w.day > w.today + w.booking_days as too_far from windows w, "
    "generate_series((w.day + (w.hours ->> 0)::time) at time zone w.zone, "
    "((w.day + (w.hours ->> 1)::time) at time zone w.zone) - w.length, w.step) s "
    "where not $7::bool or (s >= w.earliest and w.day <= w.today + w.booking_days "
    "and s >= coalesce($9::timestamptz, $10::timestamp at time zone w.zone, w.earliest)) "
    "order by starts_at"
    ") "
    "select s.starts_at, s.ends_at, "
    "extract(epoch from (s.starts_at at time zone s.zone) - (s.starts_at at time zone 'UTC'))::int as utc_offset_s, "
    "s.too_soon, s.too_far, o.taken from starts s cross join lateral (select exists ("
    "select 1 from appointments a where a.tenant_id = $1 and a.calendar = $12 "
    "and a.status in ('held', 'unconfirmed', 'confirmed') "
    "and a.starts_at < s.ends_at and a.ends_at > s.starts_at and a.starts_at > s.starts_at - interval '24 hours' "
    "and (a.status <> 'held' or (a.held_until > $2::timestamptz and a.call_id is distinct from $5)) "
    "and a.id is distinct from $6) as taken) o "
    "where not $7::bool or not o.taken order by s.starts_at limit $8::int"};

Slot to_slot(pg::Row const& row) {
  return Slot{.starts_at = row.time("starts_at"),
              .ends_at = row.time("ends_at"),
              .utc_offset = std::chrono::seconds{row.integer("utc_offset_s")},
              .too_soon = row.boolean("too_soon"),
              .too_far = row.boolean("too_far"),
              .taken = row.boolean("taken")};
}

}  // namespace

Async<Result<std::vector<Slot>>> find_slots(pg::Session& session, SlotSearch search) {
  pg::Params params{search.tenant,  search.now,       search.from_day, search.to_day,     search.call,
                    search.moving,  search.only_free, search.limit,    search.not_before, search.not_before_local,
                    search.minutes, search.calendar};
  auto const rows = co_await session.run(slots, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<Slot> found;
  for (std::size_t i = 0; i < rows->size(); ++i) found.push_back(to_slot((*rows)[i]));
  co_return found;
}

}  // namespace crm
