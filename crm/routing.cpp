#include "crm/routing.h"

#include "crm/store/voice_agents.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query version_now{"routing_version", "select version from routing_state"};
constexpr pg::Query all_routes{
    "routes",
    "select n.e164, t.name as tenant_name, t.timezone as tenant_timezone, t.max_concurrent_calls, "
    "t.status = 'active' as tenant_active, a.* from phone_numbers n "
    "join voice_agents a on a.tenant_id = n.tenant_id and a.id = n.agent_id join tenants t on t.id = n.tenant_id"};

constexpr auto patience = std::chrono::seconds{5};

NumberRoute to_route(pg::Row const& row) {
  return NumberRoute{.number = row.text("e164"),
                     .tenant = base::TenantId{row.text("tenant_id")},
                     .tenant_name = row.text("tenant_name"),
                     .tenant_timezone = row.text("tenant_timezone"),
                     .max_concurrent_calls = static_cast<int>(row.integer("max_concurrent_calls")),
                     .tenant_active = row.boolean("tenant_active"),
                     .agent = to_voice_agent(row)};
}

}  // namespace

RoutingTable::RoutingTable(std::vector<NumberRoute> routes) {
  for (auto& route : routes) {
    auto number = route.number;
    routes_.insert_or_assign(std::move(number), std::make_shared<NumberRoute const>(std::move(route)));
  }
}

std::shared_ptr<NumberRoute const> RoutingTable::find(std::string_view e164) const {
  auto const found = routes_.find(e164);
  return found == routes_.end() ? nullptr : found->second;
}

RoutingFeed::RoutingFeed(pg::Pool& pool, base::TimeSource& time, base::Log log, base::Metrics& metrics,
                         base::TimeSource::Clock::duration interval)
    : pool_{pool},
      time_{time},
      log_{std::move(log)},
      numbers_{metrics.gauge("switchboard_routed_numbers", "Phone numbers that lead to an agent")},
      failures_{metrics.counter("switchboard_routing_refresh_failures_total", "Looks at the routes that failed")},
      interval_{interval},
      table_{std::make_shared<RoutingTable const>()} {}

Async<Result<bool>> RoutingFeed::refresh(base::Instant deadline) {
  auto const now = co_await pool_.run(version_now, {}, deadline);
  if (!now) co_return std::unexpected{now.error()};
  // Read before the routes: a change in between is seen at the next look, never missed.
  auto const version = (*now)[0].integer("version");
  if (version == version_) co_return false;
  auto const rows = co_await pool_.run(all_routes, {}, deadline);
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<NumberRoute> routes;
  routes.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) routes.push_back(to_route((*rows)[i]));
  table_.store(std::make_shared<RoutingTable const>(std::move(routes)), std::memory_order_release);
  version_ = version;
  numbers_.Set(static_cast<double>(rows->size()));
  log_.info("routes loaded", {{"numbers", rows->size()}, {"version", version}});
  co_return true;
}

Async<> RoutingFeed::follow() {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool failing = false;
  for (;;) {
    auto const waited = co_await time_.wait(interval_);
    if (!waited) co_return;
    auto const refreshed = co_await refresh(time_.now() + patience);
    if (!refreshed && refreshed.error().fault == base::Fault::cancelled) co_return;
    if (!refreshed) failures_.Increment();
    bool const fails_now = !refreshed;
    if (fails_now && !failing) log_.warning("routes cannot be refreshed", {{"detail", refreshed.error().detail}});
    if (!fails_now && failing) log_.info("routes can be refreshed again");
    failing = fails_now;
  }
}

}  // namespace crm
