// Conversations of which no webhook has told are asked for: patiently, and by one process at a time.
#include "gateway/agent/elevenlabs/conversation_poll.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <map>
#include <mutex>

#include "gateway/base/task_group.h"
#include "tests/crm/settle_scene.h"
#include "tests/net/server_scene.h"

namespace gateway::elevenlabs {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// The provider's REST side, as it is told to be.
class Provider {
 public:
  Provider() {
    server_.router.on("GET", "/v1/convai/conversations/*",
                      [this](net::Request request) { return answer(std::move(request)); });
    server_.start();
  }

  std::string url() const { return server_.url(""); }
  void says(std::string const& conversation, net::Response response) {
    std::lock_guard const lock{mutex_};
    answers_[conversation] = std::move(response);
  }
  void done(std::string const& conversation, std::string const& summary = "Asked for a table.") {
    says(conversation,
         net::Response::json(200, R"({"conversation_id":")" + conversation +
                                      R"(","agent_id":"a","status":"done","transcript":[],"metadata":)"
                                      R"({"start_time_unix_secs":1769851800,"call_duration_secs":60},)"
                                      R"("analysis":{"call_successful":"success","transcript_summary":")" +
                                      summary + R"("}})"));
  }
  int asked() {
    std::lock_guard const lock{mutex_};
    return asked_;
  }
  std::size_t most_at_once() {
    std::lock_guard const lock{mutex_};
    return most_;
  }

 private:
  base::Async<net::Response> answer(net::Request request) {
    auto const id = std::string{request.path().substr(request.path().rfind('/') + 1)};
    if (request.headers.find("xi-api-key") != "sk_test") co_return net::Response::empty(401);
    count(1);
    // Long enough for others to come in between.
    (void)co_await time_.wait(milliseconds{5});
    count(-1);
    std::lock_guard const lock{mutex_};
    ++asked_;
    auto const found = answers_.find(id);
    co_return found == answers_.end() ? net::Response::json(404, R"({"detail":{"status":"document_not_found"}})")
                                      : found->second;
  }
  void count(int change) {
    std::lock_guard const lock{mutex_};
    now_ += static_cast<std::size_t>(change);
    most_ = std::max(most_, now_);
  }

  std::mutex mutex_;
  base::SystemTime time_;
  std::map<std::string, net::Response> answers_;
  int asked_ = 0;
  std::size_t now_ = 0;
  std::size_t most_ = 0;
  test::ServerScene server_;  // last: its thread uses what is above
};

class Polled : public test::SettledTest {
 protected:
  void SetUp() override {
    SettledTest::SetUp();
    if (IsSkipped()) return;
    poll.emplace(loop.get_executor(), conversations, *pool, time, base::Log::silent(), metrics, apply, patient());
  }

  static ConversationPoll::Settings patient() {
    ConversationPoll::Settings settings;
    settings.after = milliseconds{0};
    return settings;
  }

  void over(int number, std::string const& ago = "0", std::string ending = "caller_hung_up") {
    auto record = ended(call(number));
    record.conversation_id = "conv_" + std::to_string(number);
    record.ending = std::move(ending);
    write(record);
    tell("update call_outcomes set created_at = now() - interval '" + ago + " seconds' where call_id = 'call_" +
         std::to_string(number) + "'");
  }
  std::size_t looks() { return run(poll->look()).value_or(999); }
  void waits_no_more() { tell("update call_outcomes set next_poll_at = now()"); }
  std::string row(int number = 1) {
    return value(
        "select concat_ws(' ', summary, enriched_from, polls, poll_ended, 5 * round(extract(epoch from "
        "next_poll_at - now()) / 5)) from call_outcomes where call_id = 'call_" +
        std::to_string(number) + "'");
  }
  double polls(char const* result) {
    return metrics.counter("switchboard_conversation_polls_total", "", {{"result", result}}).Value();
  }

  ApplyPostCall const apply = [](crm::pg::Session& session, PostCall told) {
    crm::Enrichment enrichment{.conversation_id = told.conversation_id, .from = crm::Enrichment::From::poll};
    enrichment.at = crm::Wall{seconds{told.event_unix.value_or(0)}};
    enrichment.summary = told.summary;
    return crm::enrich_call(session, std::move(enrichment));
  };

  Provider provider;
  base::Metrics metrics;
  net::HttpClient http;
  Conversations conversations{http, time, provider.url(), base::Secret{"sk_test"}};
  std::optional<ConversationPoll> poll;
};

TEST_F(Polled, conversations_are_added_to_their_outcomes_once) {
  over(1);
  provider.done("conv_1");
  EXPECT_EQ(looks(), 1U);
  EXPECT_EQ(value("select summary || ' ' || enriched_from || ' ' || extract(epoch from enriched_at)::bigint from "
                  "call_outcomes"),
            "Asked for a table. poll 1769851860");
  waits_no_more();
  EXPECT_EQ(looks(), 0U);
  EXPECT_EQ(polls("applied"), 1);
}

TEST_F(Polled, conversations_are_those_of_which_nobody_has_told) {
  over(1);
  over(2);
  tell("update calls set conversation_id = null where id = 'call_2'");
  write(call(3));
  crm::Enrichment webhook{.conversation_id = "conv_1", .at = time.wall()};
  webhook.summary = "By webhook.";
  EXPECT_TRUE(enrich(webhook));
  EXPECT_EQ(looks(), 0U);
  EXPECT_EQ(provider.asked(), 0);
}

TEST_F(Polled, conversations_wait_for_their_webhook_first) {
  auto settings = patient();
  settings.after = minutes{1};
  poll.emplace(loop.get_executor(), conversations, *pool, time, base::Log::silent(), metrics, apply, settings);
  for (int number : {1, 2, 3}) provider.done("conv_" + std::to_string(number));
  over(1, "50");
  over(2, "70");
  over(3, "0", "node_lost");
  EXPECT_EQ(looks(), 2U);
  EXPECT_EQ(value("select string_agg(call_id, ' ' order by call_id) from call_outcomes where summary is not null"),
            "call_2 call_3");
}

TEST_F(Polled, conversations_that_are_not_finished_are_asked_for_later_and_later) {
  over(1);
  for (auto const* status : {"in-progress", "processing"}) {
    provider.says("conv_1",
                  net::Response::json(200, R"({"conversation_id":"conv_1","status":")" + std::string{status} + "\"}"));
    waits_no_more();
    EXPECT_EQ(looks(), 1U);
  }
  EXPECT_EQ(row(), "2 30");
  EXPECT_EQ(looks(), 0U);
  provider.done("conv_1");
  waits_no_more();
  EXPECT_EQ(looks(), 1U);
  EXPECT_TRUE(row().starts_with("Asked for a table. poll 3")) << row();
}

TEST_F(Polled, conversations_are_given_up_when_they_are_unknown_or_too_old) {
  over(1);
  over(2, "86390");
  over(3, "86410");
  provider.says("conv_2", net::Response::json(200, R"({"conversation_id":"conv_2","status":"processing"})"));
  provider.done("conv_3");
  EXPECT_EQ(looks(), 2U);
  EXPECT_TRUE(row(1).starts_with("1 unknown to the provider")) << row(1);
  EXPECT_TRUE(row(2).starts_with("1 not finished within a day")) << row(2);
  waits_no_more();
  EXPECT_EQ(looks(), 0U);
  EXPECT_EQ(polls("given_up"), 2);
}

TEST_F(Polled, conversations_that_are_another_are_not_believed) {
  over(1);
  over(2);
  provider.done("conv_2");
  provider.says("conv_1", net::Response::json(200, R"({"conversation_id":"conv_2","status":"done"})"));
  EXPECT_EQ(looks(), 2U);
  EXPECT_TRUE(row(1).starts_with("1 the answer is another conversation")) << row(1);
  EXPECT_TRUE(row(2).starts_with("Asked for a table. poll 1")) << row(2);
}

TEST_F(Polled, conversations_survive_bad_answers) {
  for (int number : {1, 2, 3, 4}) over(number);
  provider.says("conv_1", net::Response::json(200, R"({"conversation_id":"conv_1","status":"do)"));
  provider.says("conv_2", net::Response::json(503, "{}"));
  provider.says("conv_3", net::Response::json(200, R"({"conversation_id":"conv_3","status":"done","analysis":[1]})"));
  provider.says("conv_4", net::Response::json(422, R"({"detail":[]})"));
  EXPECT_EQ(looks(), 4U);
  EXPECT_EQ(row(1), "1 15");
  EXPECT_EQ(row(2), "1 15");
  EXPECT_TRUE(row(3).starts_with("poll 1")) << row(3);
  EXPECT_TRUE(row(4).starts_with("1 agent service answered 422 (validation_error)")) << row(4);
}

TEST_F(Polled, conversations_rest_while_the_key_is_refused_or_it_is_too_much) {
  auto busy = net::Response::json(429, R"({"detail":{"code":"rate_limit_exceeded"}})");
  busy.headers.add("Retry-After", "100");
  for (auto const& [status, refusal, later] :
       {std::tuple{1, net::Response::json(401, R"({"detail":{"status":"invalid_api_key"}})"), 300},
        std::tuple{2, busy, 100}}) {
    poll.emplace(loop.get_executor(), conversations, *pool, time, base::Log::silent(), metrics, apply, patient());
    tell("update call_outcomes set poll_ended = 'not meant'");
    for (int i = 0; i < 12; ++i) {
      auto const number = status * 100 + i;
      over(number);
      provider.says("conv_" + std::to_string(number), refusal);
    }
    auto const before = provider.asked();
    EXPECT_EQ(looks(), 12U);
    EXPECT_LE(provider.asked() - before, static_cast<int>(ConversationPoll::at_once));
    EXPECT_EQ(value("select max(5 * round(extract(epoch from next_poll_at - now()) / 5)) from call_outcomes where "
                    "poll_ended is null"),
              std::to_string(later));
    waits_no_more();
    EXPECT_EQ(looks(), 0U) << "everybody waits";
  }
}

TEST_F(Polled, conversations_are_asked_for_few_at_a_time_and_by_one_of_two_processes) {
  for (int number = 1; number <= 30; ++number) {
    over(number);
    provider.done("conv_" + std::to_string(number));
  }
  EXPECT_EQ(looks(), 20U);
  EXPECT_LE(provider.most_at_once(), ConversationPoll::at_once);
  tell(
      "update call_outcomes set summary = null, enriched_from = null, enriched_at = null, next_poll_at = null, polls = "
      "0");
  crm::pg::Pool second_pool{settings(1), time};
  ConversationPoll second{loop.get_executor(), conversations, second_pool, time,
                          base::Log::silent(), metrics,       apply,       patient()};
  auto const both = [&]() -> base::Async<std::size_t> {
    using namespace asio::experimental::awaitable_operators;
    auto const [one, two] = co_await (poll->look() && second.look());
    co_return one.value_or(0) + two.value_or(0);
  };
  EXPECT_EQ(run(both()), 30U);
  EXPECT_EQ(provider.asked(), 50);
  EXPECT_EQ(value("select max(polls) from call_outcomes"), "1");
}

TEST_F(Polled, conversations_cannot_be_asked_for_without_a_key) {
  over(1);
  Conversations closed{http, time, provider.url(), base::Secret{}};
  poll.emplace(loop.get_executor(), closed, *pool, time, base::Log::silent(), metrics, apply, patient());
  EXPECT_EQ(looks(), 0U);
  EXPECT_EQ(provider.asked(), 0);
  EXPECT_EQ(row(), "0");
}

TEST_F(Polled, conversations_are_asked_for_until_the_poll_is_cancelled) {
  base::TaskGroup tasks{loop.get_executor()};
  tasks.spawn(poll->run());
  over(1);
  provider.done("conv_1");
  poll->ring();
  auto const wait = [&]() -> base::Async<bool> {
    for (int i = 0; i < 500 && polls("applied") == 0; ++i) (void)co_await time.wait(milliseconds{10});
    co_await tasks.drain(time, milliseconds{0});
    co_return polls("applied") == 1;
  };
  EXPECT_TRUE(run(wait()));
}

}  // namespace
}  // namespace gateway::elevenlabs
