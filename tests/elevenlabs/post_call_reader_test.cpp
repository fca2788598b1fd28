#include "gateway/agent/elevenlabs/post_call_reader.h"

#include "gateway/agent/elevenlabs/webhook_door.h"
#include "gateway/base/task_group.h"
#include "tests/crm/call_scene.h"

namespace gateway::elevenlabs {
namespace {

using base::Fault;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

/// A reader whose outcomes are rows of a table of its own: one for each time an event was applied.
class Reader : public test::BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    sql(conninfo, "create table heard (conversation text, summary text)");
    pool.emplace(settings(2), time);
    reader.emplace(
        loop.get_executor(), *pool, time, base::Log::silent(), metrics,
        [this](crm::pg::Session& session, PostCall call) { return apply(session, std::move(call)); },
        PostCallReader::Settings{.pause = milliseconds{1}});
  }

  base::Async<base::Result<bool>> apply(crm::pg::Session& session, PostCall call) {
    crm::pg::Params params{call.conversation_id, call.summary};
    auto const written = co_await session.run({"hear", "insert into heard values ($1, $2)"}, std::move(params));
    if (!written) co_return std::unexpected{written.error()};
    if (fault) co_return base::fail(*fault, "staged");
    co_return is_there;
  }

  void arrives(std::string const& conversation, std::string const& age = "0") {
    auto const body = R"({"type":"post_call_transcription","event_timestamp":5,"data":{"conversation_id":")" +
                      conversation + R"(","agent_id":"a","status":"done","analysis":{"transcript_summary":"Grüße"}}})";
    raw(conversation, body, age);
  }
  void raw(std::string const& key, std::string const& body, std::string const& age = "0") {
    crm::pg::Pool own{settings(1), time};
    auto session = own.until(soon());
    EXPECT_EQ(run(crm::keep_delivery(session, {inbox_source, key, body, crm::InboxStatus::received, {}})), true);
    sql(conninfo, "update inbox set received_at = now() - interval '" + age + " seconds' where key = '" + key + "'");
  }
  bool looks(bool at_all = true) { return run(reader->look(at_all)); }
  std::string state(std::string const& key) {
    return sql(conninfo, "select status || coalesce(': ' || error, '') from inbox where key = '" + key + "'");
  }
  std::string heard() { return sql(conninfo, "select count(*) from heard"); }

  base::Metrics metrics;
  std::optional<crm::pg::Pool> pool;
  std::optional<PostCallReader> reader;
  std::optional<Fault> fault;
  bool is_there = true;
};

TEST_F(Reader, applies_what_has_come_and_only_once) {
  auto record = ended(call());
  record.conversation_id = "conv_1";
  ASSERT_TRUE(save(record));
  arrives("conv_1");
  arrives("conv_2");
  ASSERT_TRUE(looks());
  ASSERT_TRUE(looks());
  EXPECT_EQ(heard(), "2");
  EXPECT_EQ(sql(conninfo, "select summary from heard where conversation = 'conv_1'"), "Grüße");
  EXPECT_EQ(state("conv_1"), "applied");
  EXPECT_EQ(sql(conninfo, "select tenant_id from inbox where key = 'conv_1'"), "ten_1");
  EXPECT_EQ(sql(conninfo, "select count(*) from inbox where applied_at is not null"), "2");
}

TEST_F(Reader, asks_again_when_the_outcome_is_not_there_yet) {
  is_there = false;
  arrives("conv_1");
  ASSERT_TRUE(looks());
  EXPECT_EQ(state("conv_1"), "received");
  EXPECT_EQ(heard(), "0");
  is_there = true;
  ASSERT_TRUE(looks());
  EXPECT_EQ(state("conv_1"), "applied");
}

TEST_F(Reader, gives_up_a_conversation_that_never_was_a_call_of_ours) {
  is_there = false;
  arrives("conv_old", "7300");
  arrives("conv_new", "7100");
  ASSERT_TRUE(looks());
  EXPECT_EQ(state("conv_old"), "quarantined: belongs to no call of ours");
  EXPECT_EQ(state("conv_new"), "received");
  EXPECT_EQ(heard(), "0");
}

TEST_F(Reader, sets_aside_what_cannot_be_read_or_is_refused_and_goes_on) {
  raw("bad", "{", "3");
  raw("other", R"({"type":"something_new"})", "2");
  arrives("conv_1");
  ASSERT_TRUE(looks());
  EXPECT_EQ(state("bad"), "quarantined: cannot be read");
  EXPECT_EQ(state("other"), "quarantined: cannot be read");
  EXPECT_EQ(state("conv_1"), "applied");
  fault = Fault::refused;
  arrives("conv_2");
  ASSERT_TRUE(looks());
  EXPECT_EQ(state("conv_2"), "quarantined: could not be applied: refused");
  EXPECT_EQ(heard(), "1");
}

TEST_F(Reader, leaves_everything_as_it_was_while_the_database_has_no_time) {
  fault = Fault::unavailable;
  arrives("conv_1");
  EXPECT_FALSE(looks());
  EXPECT_EQ(state("conv_1"), "received");
  EXPECT_EQ(heard(), "0");
  fault.reset();
  EXPECT_TRUE(looks());
  EXPECT_EQ(heard(), "1");
}

TEST_F(Reader, between_full_looks_only_sees_what_is_new) {
  arrives("conv_old", "200");
  arrives("conv_new");
  ASSERT_TRUE(looks(false));
  EXPECT_EQ(state("conv_old"), "received");
  EXPECT_EQ(state("conv_new"), "applied");
}

TEST_F(Reader, walks_through_more_than_one_page) {
  is_there = false;
  for (int i = 0; i < 60; ++i) arrives("conv_" + std::to_string(i), "10");
  is_there = true;
  ASSERT_TRUE(looks());
  EXPECT_EQ(heard(), "60");
}

TEST_F(Reader, beside_another_one_still_applies_each_once) {
  for (int i = 0; i < 20; ++i) arrives("conv_" + std::to_string(i));
  crm::pg::Pool second_pool{settings(1), time};
  PostCallReader second{loop.get_executor(),
                        second_pool,
                        time,
                        base::Log::silent(),
                        metrics,
                        [this](crm::pg::Session& session, PostCall one) { return apply(session, std::move(one)); }};
  auto const both = [&]() -> base::Async<bool> {
    using namespace asio::experimental::awaitable_operators;
    auto const [one, two] = co_await (reader->look(true) && second.look(true));
    co_return one&& two;
  };
  EXPECT_TRUE(run(both()));
  EXPECT_EQ(heard(), "20");
  EXPECT_EQ(sql(conninfo, "select count(distinct conversation) from heard"), "20");
}

TEST_F(Reader, wakes_when_it_is_rung_and_ends_when_it_is_cancelled) {
  base::TaskGroup tasks{loop.get_executor()};
  tasks.spawn(reader->run());
  arrives("conv_1");
  arrives("conv_2");
  reader->ring();
  auto& applied = metrics.counter("switchboard_post_calls_applied_total", "");
  auto const limit = std::chrono::steady_clock::now() + seconds{20};
  loop.restart();
  while (applied.Value() < 2 && loop.run_one_until(limit) > 0) {
  }
  EXPECT_EQ(heard(), "2");
  tasks.cancel_all();
  loop.restart();
  loop.run();
  EXPECT_EQ(tasks.size(), 0U);
}

}  // namespace
}  // namespace gateway::elevenlabs
