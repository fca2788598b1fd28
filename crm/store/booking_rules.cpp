#include "crm/store/booking_rules.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using base::Result;

// Slots are counted, not estimated: a planner that takes the search for a big one would spend half a second on
// compiling what runs in milliseconds.
constexpr pg::Query read{
    "booking_rules",
    "select name, timezone, confirm_by_sms, set_config('jit', 'off', true) from tenants where id = $1"};
// Not "for update": rows that refer to the tenant, each new call for one, need not wait.
constexpr pg::Query lock{
    "lock_bookings",
    "select name, timezone, confirm_by_sms, set_config('jit', 'off', true) from tenants where id = $1 "
    "for no key update"};

Async<Result<BookingRules>> rules_by(pg::Session& session, pg::Query query, base::TenantId tenant) {
  pg::Params params{tenant};
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->empty()) co_return base::fail(Fault::not_found, "no such tenant");
  auto const row = (*rows)[0];
  co_return BookingRules{
      .business = row.text("name"), .timezone = row.text("timezone"), .confirm_by_sms = row.boolean("confirm_by_sms")};
}

}  // namespace

Async<Result<BookingRules>> booking_rules(pg::Session& session, base::TenantId tenant) {
  return rules_by(session, read, std::move(tenant));
}

Async<Result<BookingRules>> lock_bookings(pg::Session& session, base::TenantId tenant) {
  return rules_by(session, lock, std::move(tenant));
}

}  // namespace crm
