#include "gateway/web/operations.h"

#include <fmt/format.h>

namespace gateway::web {

void add_operations(net::Router& router, std::function<Health()> health, base::Metrics const& metrics) {
  router.on("GET", "/livez",
            [](net::Request) -> base::Async<net::Response> { co_return net::Response::text(200, "ok\n"); });
  router.on("GET", "/readyz", [health](net::Request) -> base::Async<net::Response> {
    bool const ready = health().ready;
    co_return net::Response::text(ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
  });
  router.on("GET", "/healthz", [health](net::Request) -> base::Async<net::Response> {
    auto const now = health();
    std::string_view const status = now.draining   ? "draining"
                                    : !now.ready   ? "starting"
                                    : now.database ? "ok"
                                                   : "degraded";
    co_return net::Response::json(
        now.ready ? 200 : 503,
        fmt::format(R"({{"status":"{}","database":"{}","calls":{},"numbers":{},"records_waiting":{}}})", status,
                    now.database ? "up" : "away", now.calls, now.numbers, now.records_waiting) +
            "\n");
  });
  router.on("GET", "/metrics", [&metrics](net::Request) -> base::Async<net::Response> {
    co_return net::Response::with(200, "text/plain; version=0.0.4; charset=utf-8", metrics.expose());
  });
}

}  // namespace gateway::web
