// What the agent's provider says after the call: before or after our own record, the outcome is the same.
#include <latch>
#include <thread>

#include "tests/crm/settle_scene.h"

namespace {

using std::chrono::seconds;

class Enriched : public test::SettledTest {
 protected:
  crm::CallRecord talked(int number = 1) {
    auto record = ended(call(number));
    record.conversation_id = "conv_" + std::to_string(number);
    return record;
  }
  static crm::Enrichment word(int number, seconds later = seconds{0}) {
    crm::Enrichment enrichment;
    enrichment.conversation_id = "conv_" + std::to_string(number);
    enrichment.at = crm::Wall{std::chrono::sys_days{std::chrono::year{2026} / 2 / 1}} + later;
    return enrichment;
  }
  std::string row(int number) {
    return value(
        "select concat_ws(' ', category, summary, evaluation, collected, quarantine, enriched_from, "
        "enriched_at at time zone 'UTC') from call_outcomes where call_id = 'call_" +
        std::to_string(number) + "'");
  }
};

TEST_F(Enriched, outcomes_take_what_the_provider_says) {
  write(talked());
  auto said = word(1);
  said.summary = "Asked for \"Friday\"";
  said.evaluation_json = R"({"polite": "success"})";
  said.quarantine = {"cost: not a number"};
  EXPECT_TRUE(enrich(said));
  EXPECT_EQ(row(1),
            "abandoned Asked for \"Friday\" {\"polite\": \"success\"} [\"cost: not a number\"] webhook 2026-02-01 "
            "00:00:00");
  EXPECT_EQ(value("select count(*) from inbox"), "0");
}

TEST_F(Enriched, outcomes_take_what_was_said_before_them) {
  auto said = word(1);
  said.summary = "Early";
  EXPECT_FALSE(enrich(said));
  EXPECT_EQ(value("select status from inbox where source = 'enrichment'"), "received");
  write(talked());
  EXPECT_EQ(row(1), "abandoned Early webhook 2026-02-01 00:00:00");
  EXPECT_EQ(value("select status || ' ' || tenant_id from inbox"), "applied ten_1");
}

TEST_F(Enriched, outcomes_are_the_same_in_any_order) {
  enum class Step { settle, webhook, poll, again };
  std::vector steps{Step::settle, Step::webhook, Step::poll, Step::again};
  int number = 10;
  std::string first;
  do {
    ++number;
    auto webhook = word(number);
    webhook.summary = "webhook";
    webhook.collected_json = R"({"name": "Ada"})";
    auto poll = word(number, seconds{5});
    poll.from = crm::Enrichment::From::poll;
    poll.summary = "poll";
    for (auto const step : steps) {
      if (step == Step::settle) write(talked(number));
      if (step == Step::poll) enrich(poll);
      if (step == Step::webhook || step == Step::again) enrich(webhook);
    }
    if (first.empty()) first = row(number);
    EXPECT_EQ(row(number), first);
    EXPECT_EQ(row(number), "abandoned poll {\"name\": \"Ada\"} poll 2026-02-01 00:00:05");
  } while (std::ranges::next_permutation(steps).found);
}

TEST_F(Enriched, outcomes_are_never_missed_when_both_come_at_once) {
  constexpr int rounds = 40;
  std::latch ready{2};
  auto const side = [&](auto const& work) {
    asio::io_context own{1};
    crm::pg::Pool connection{settings(1), time};
    ready.arrive_and_wait();
    for (int round = 100; round < 100 + rounds; ++round) {
      asio::co_spawn(own, connection.transaction([&](auto& transaction) { return work(transaction, round); }, soon()),
                     [](std::exception_ptr, base::Result<bool> done) { EXPECT_TRUE(done); });
      own.restart();
      own.run();
    }
  };
  std::jthread provider{[&] {
    side([](crm::pg::Transaction& transaction, int round) {
      auto said = word(round);
      said.summary = "said";
      return crm::enrich_call(transaction, said);
    });
  }};
  side([this](crm::pg::Transaction& transaction, int round) { return save_and_settle(transaction, talked(round)); });
  provider.join();
  EXPECT_EQ(value("select count(*) from call_outcomes where summary = 'said'"), std::to_string(rounds));
}

TEST_F(Enriched, outcomes_hold_whatever_the_provider_sends) {
  write(talked());
  auto said = word(1);
  said.summary = std::string(40'000, 'x');
  said.evaluation_json = "not json \xff";
  said.collected_json = R"({"a\u0000": "\u0000"})";
  EXPECT_TRUE(enrich(said));
  EXPECT_EQ(value("select quarantine->>0 from call_outcomes"), "summary: too long");
  EXPECT_EQ(value("select summary is null from call_outcomes"), "t");
}

}  // namespace
