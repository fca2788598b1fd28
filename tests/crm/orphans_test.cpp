// Calls that a dead gateway left open are closed with what the carrier and the agent's provider know of their end.
#include "gateway/orphans.h"

#include <map>

#include "tests/crm/settle_scene.h"

namespace {

using base::Fault;
using crm::CallStatus;
using gateway::CarrierFacts;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class ToldCarrier final : public gateway::Carrier {
 public:
  base::Async<base::Result<>> hang_up(gateway::CarrierCall) override { co_return base::Result<>{}; }
  base::Async<base::Result<>> transfer(gateway::CarrierCall, std::string, std::string) override {
    co_return base::Result<>{};
  }
  base::Async<base::Result<CarrierFacts>> look_up(gateway::CarrierCall) override { co_return facts; }

  base::Result<CarrierFacts> facts = CarrierFacts{};
};

class Orphans : public test::SettledTest {
 protected:
  void SetUp() override {
    SettledTest::SetUp();
    if (IsSkipped()) return;
    gateway::OrphanWitness witness{[this](std::string id) { return end_of(std::move(id)); }, [this] { ++closed; }};
    sweep.emplace(*pool, carrier, time, base::Log::silent(), "n1", 8, std::move(witness));
  }

  base::Async<base::Result<std::optional<crm::Wall>>> end_of(std::string id) {
    EXPECT_EQ(id, "conv_1");
    ++asked;
    co_return conversation_end;
  }

  crm::CallRecord left_open(std::chrono::seconds ago) {
    auto record = call();
    record.started_at = std::chrono::time_point_cast<seconds>(time.wall() - ago);
    record.answered_at = record.started_at + seconds{2};
    record.conversation_id = "conv_1";
    write(record);
    return record;
  }
  std::string row() {
    return value(
        "select concat_ws(' ', status, ending, blame, extract(epoch from ended_at - started_at)::int) from calls");
  }

  ToldCarrier carrier;
  base::Result<std::optional<crm::Wall>> conversation_end = base::fail(Fault::unavailable, "staged");
  int asked = 0;
  int closed = 0;
  std::optional<gateway::OrphanSweep> sweep;
};

TEST_F(Orphans, end_when_the_carrier_says_so) {
  auto const record = left_open(minutes{5});
  carrier.facts = CarrierFacts{CallStatus::completed, seconds{40}};
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_EQ(row(), "completed node_lost us 42");
  EXPECT_EQ(value("select duration_ms from calls"), "40000");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(closed, 1);
}

TEST_F(Orphans, end_with_their_conversation_where_the_carrier_knows_no_time) {
  auto const record = left_open(minutes{5});
  conversation_end = record.started_at + seconds{65};
  carrier.facts = CarrierFacts{CallStatus::completed, std::nullopt};
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_EQ(row(), "completed node_lost us 65");
}

TEST_F(Orphans, that_the_carrier_has_forgotten_end_with_their_conversation) {
  auto const record = left_open(hours{2});
  conversation_end = record.started_at + seconds{65};
  carrier.facts = base::fail(Fault::not_found, "staged");
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_EQ(row(), "completed node_lost us 65");
}

TEST_F(Orphans, of_which_nobody_knows_anything_end_now) {
  left_open(seconds{100});
  carrier.facts = base::fail(Fault::not_found, "staged");
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_TRUE(row().starts_with("failed node_lost us 10")) << row();
}

TEST_F(Orphans, that_go_on_are_left_alone) {
  left_open(minutes{5});
  EXPECT_TRUE(run(sweep->sweep()));
  carrier.facts = base::fail(Fault::unavailable, "staged");
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_EQ(row(), "in-progress");
  EXPECT_EQ(closed, 0);
}

TEST_F(Orphans, end_a_while_after_their_conversation_when_the_carrier_does_not_answer_us_any_more) {
  auto const record = left_open(minutes{20});
  carrier.facts = base::fail(Fault::refused, "staged");
  conversation_end = std::optional<crm::Wall>{};
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_EQ(row(), "in-progress");
  conversation_end = time.wall() - minutes{5};
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_EQ(row(), "in-progress") << "the caller may speak with a person";
  conversation_end = record.started_at + minutes{3};
  EXPECT_TRUE(run(sweep->sweep()));
  EXPECT_EQ(row(), "completed node_lost us 180");
}

}  // namespace
