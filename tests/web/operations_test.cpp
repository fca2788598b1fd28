#include "gateway/web/operations.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace {

using gateway::web::Health;

/// The operations routes over a health that a test chooses.
class Operations : public testing::Test {
 protected:
  Operations() {
    gateway::web::add_operations(router, [this] { return health; }, metrics);
  }

  net::Response get(std::string_view path) {
    auto const match = router.find("GET", path);
    EXPECT_NE(match.route, nullptr) << path;
    asio::io_context loop;
    net::Response response;
    asio::co_spawn(loop, match.route->handler(net::Request{}), [&](std::exception_ptr crash, net::Response answer) {
      EXPECT_FALSE(crash);
      response = std::move(answer);
    });
    loop.run();
    return response;
  }

  base::Metrics metrics;
  net::Router router;
  Health health;
};

TEST_F(Operations, a_process_that_answers_is_alive_even_when_it_takes_no_calls) {
  EXPECT_EQ(get("/livez").status, 200U);
}

TEST_F(Operations, is_not_ready_before_calls_can_come_and_while_it_drains) {
  EXPECT_EQ(get("/readyz").status, 503U);
  health.ready = true;
  EXPECT_EQ(get("/readyz").status, 200U);
  health.ready = false;
  health.draining = true;
  EXPECT_EQ(get("/readyz").status, 503U);
}

TEST_F(Operations, a_database_that_is_away_degrades_but_does_not_make_unready) {
  health.ready = true;
  health.database = false;
  health.calls = 3;
  health.numbers = 2;
  health.records_waiting = 7;
  health.journal_records = 5;
  health.journal_bytes = 1234;
  auto const response = get("/healthz");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body,
            "{\"status\":\"degraded\",\"database\":\"away\",\"calls\":3,\"numbers\":2,\"records_waiting\":7,"
            "\"journal\":{\"state\":\"ok\",\"records\":5,\"bytes\":1234}}\n");
}

TEST_F(Operations, a_journal_that_cannot_be_written_degrades_and_one_without_reserve_is_told_of) {
  health.ready = true;
  health.journal_reserved = false;
  EXPECT_NE(get("/healthz").body.find("\"status\":\"ok\""), std::string::npos);
  EXPECT_NE(get("/healthz").body.find("\"state\":\"without reserve\""), std::string::npos);
  health.journal_fails = true;
  EXPECT_NE(get("/healthz").body.find("\"status\":\"degraded\""), std::string::npos);
  EXPECT_NE(get("/healthz").body.find("\"state\":\"failing\""), std::string::npos);
}

TEST_F(Operations, says_that_it_drains) {
  health.draining = true;
  auto const response = get("/healthz");
  EXPECT_EQ(response.status, 503U);
  EXPECT_NE(response.body.find("\"status\":\"draining\""), std::string::npos);
}

TEST_F(Operations, exposes_counters_in_the_text_format_of_prometheus) {
  metrics.counter("switchboard_test_total", "Counted by a test.").Increment(3);
  auto const response = get("/metrics");
  EXPECT_TRUE(response.headers.find("Content-Type").starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(response.body.find("# HELP switchboard_test_total Counted by a test."), std::string::npos);
  EXPECT_NE(response.body.find("switchboard_test_total 3"), std::string::npos);
}

}  // namespace
