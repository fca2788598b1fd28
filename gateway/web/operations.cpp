#include "gateway/web/operations.h"

#include <fmt/format.h>

namespace gateway::web {
namespace {

std::string_view journal_word(Health const& health) {
  if (health.journal_fails) return "failing";
  return health.journal_reserved ? "ok" : "without reserve";
}

}  // namespace

void add_operations(net::Router& router, std::function<Health()> health, base::Metrics const& metrics) {
  router.on("GET", "/livez",
            [](net::Request) -> base::Async<net::Response> { co_return net::Response::text(200, "ok\n"); });
  router.on("GET", "/readyz", [health](net::Request) -> base::Async<net::Response> {
    bool const ready = health().ready;
    co_return net::Response::text(ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
  });
  router.on("GET", "/healthz", [health](net::Request) -> base::Async<net::Response> {
    auto const now = health();
    std::string_view const status = now.draining                         ? "draining"
                                    : !now.ready                         ? "starting"
                                    : now.database && !now.journal_fails ? "ok"
                                                                         : "degraded";
    co_return net::Response::json(
        now.ready ? 200 : 503,
        fmt::format(R"({{"status":"{}","database":"{}","calls":{},"numbers":{},"records_waiting":{},)"
                    R"("journal":{{"state":"{}","records":{},"bytes":{}}}}})",
                    status, now.database ? "up" : "away", now.calls, now.numbers, now.records_waiting,
                    journal_word(now), now.journal_records, now.journal_bytes) +
            "\n");
  });
  router.on("GET", "/metrics", [&metrics](net::Request) -> base::Async<net::Response> {
    co_return net::Response::with(200, "text/plain; version=0.0.4; charset=utf-8", metrics.expose());
  });
}

}  // namespace gateway::web
