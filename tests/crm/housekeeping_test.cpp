// What is done is forgotten when it is old, what is not done never is, and both can be counted.
#include "crm/housekeeping.h"

#include "tests/crm/outbox_scene.h"

namespace {

using std::chrono::hours;
using test::sql;

class House : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    house.emplace(*pool, time, base::Log::silent(), metrics,
                  crm::Housekeeping::Settings{.keep_inbox = hours{24}, .keep_outbox = hours{48}, .most_at_once = 2});
  }

  void delivered(std::string const& key, std::string const& status, int hours_ago) {
    sql(conninfo, "insert into inbox (source, key, body, status, received_at) values ('elevenlabs', '" + key +
                      "', 'x', '" + status + "', now() - interval '" + std::to_string(hours_ago) + " hours')");
  }
  void became(std::string const& id, std::string const& status, int hours_ago) {
    auto const at = "now() - interval '" + std::to_string(hours_ago) + " hours'";
    sql(conninfo, "update outbox set status = '" + status + "', created_at = " + at +
                      ", done_at = " + (status == "done" ? at : "null") +
                      ", parked_reason = " + (status == "parked" ? "'why'" : "null") + " where id = '" + id + "'");
    sql(conninfo,
        "insert into delivery_attempts (tenant_id, outbox_id, attempt, started_at, took_ms) values ('ten_1', '" + id +
            "', 1, " + at + ", 5)");
  }
  std::string all(std::string const& column, std::string const& table) {
    return sql(conninfo, "select string_agg(" + column + ", ' ' order by " + column + ") from " + table);
  }

  base::Metrics metrics;
  std::optional<crm::Housekeeping> house;
};

TEST_F(House, forgets_what_is_done_and_old) {
  for (int i = 0; i < 5; ++i) {
    delivered("old_" + std::to_string(i), i % 2 == 0 ? "applied" : "quarantined", 25);
    became(tell(), "done", 49);
  }
  delivered("new", "applied", 23);
  delivered("never_applied", "received", 5000);
  became(tell(), "done", 47);      // obx_6
  became(tell(), "parked", 5000);  // obx_7
  became(tell(), "waiting", 5000);
  EXPECT_TRUE(run(house->forget()));
  EXPECT_EQ(all("key", "inbox"), "never_applied new");
  EXPECT_EQ(all("id", "outbox"), "obx_6 obx_7 obx_8");
  EXPECT_EQ(all("outbox_id", "delivery_attempts"), "obx_6 obx_7 obx_8");
}

TEST_F(House, counts_what_waits) {
  delivered("new", "applied", 1);
  delivered("waits", "received", 1);
  became(tell(), "done", 1);
  became(tell(), "parked", 1);
  became(tell(), "parked", 1);
  tell();
  tell();
  tell();
  EXPECT_EQ(lease({.most = 1}).size(), 1U);
  EXPECT_TRUE(run(house->count()));
  auto const text = metrics.expose();
  EXPECT_NE(text.find("switchboard_outbox_rows{state=\"waiting\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("switchboard_outbox_rows{state=\"parked\"} 2"), std::string::npos) << text;
  EXPECT_NE(text.find("switchboard_inbox_waiting 1"), std::string::npos) << text;
}

}  // namespace
