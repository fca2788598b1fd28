#include "loadtest/chaos/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace sim::chaos;

std::string written(std::vector<PlannedCycle> const& plan) {
  std::string text;
  for (auto const& cycle : plan) {
    for (auto const& call : cycle.calls)
      text += std::to_string(call.at.count()) + "/" + std::to_string(call.talks_for.count()) + "/" + call.from + " ";
    for (auto const& fault : cycle.faults)
      text += std::string{to_string(fault.kind)} + "@" + std::to_string(fault.at.count()) + " ";
    text += "\n";
  }
  return text;
}

TEST(ChaosPlan, is_the_same_for_the_same_seed_and_another_for_another) {
  EXPECT_EQ(written(make_plan({.seed = 7})), written(make_plan({.seed = 7})));
  EXPECT_NE(written(make_plan({.seed = 7})), written(make_plan({.seed = 8})));
}

TEST(ChaosPlan, of_fewer_cycles_is_the_beginning_of_one_of_more) {
  auto const few = written(make_plan({.seed = 7, .cycles = 3}));
  EXPECT_TRUE(written(make_plan({.seed = 7, .cycles = 9})).starts_with(few));
}

TEST(ChaosPlan, gives_every_chosen_fault_its_turn_and_no_other) {
  std::set<FaultKind> met;
  for (auto const& cycle : make_plan({.cycles = 6, .faults = {FaultKind::kill, FaultKind::pg_pause}})) {
    EXPECT_FALSE(cycle.faults.empty());
    EXPECT_TRUE(std::ranges::is_sorted(cycle.faults, {}, &PlannedFault::at));
    std::set<FaultKind> kinds;
    for (auto const& fault : cycle.faults) kinds.insert(fault.kind);
    EXPECT_EQ(kinds.size(), cycle.faults.size()) << "a kind comes once in a cycle";
    met.merge(kinds);
  }
  EXPECT_EQ(met, (std::set{FaultKind::kill, FaultKind::pg_pause}));
}

TEST(ChaosPlan, without_faults_is_calls_alone) {
  for (auto const& cycle : make_plan({.calls = 4, .faults = {}})) {
    EXPECT_TRUE(cycle.faults.empty());
    EXPECT_EQ(cycle.calls.size(), 4U);
  }
}

/// How many calls are up, by plan.
std::size_t calls_at(PlannedCycle const& cycle, milliseconds when) {
  auto const is_up = [when](PlannedCall const& call) { return call.at <= when && when < call.at + call.talks_for; };
  return static_cast<std::size_t>(std::ranges::count_if(cycle.calls, is_up));
}

TEST(SteadyPlan, keeps_as_many_calls_up_as_wanted_and_breaks_nothing) {
  auto const cycle = steady_plan(7, 50, milliseconds{60'000});
  EXPECT_TRUE(cycle.faults.empty());
  for (auto when = milliseconds{2'000}; when < milliseconds{60'000}; when += milliseconds{500}) {
    EXPECT_GE(calls_at(cycle, when), 43U) << when.count();
    EXPECT_LE(calls_at(cycle, when), 50U) << when.count();
  }
}

TEST(OutagePlan, lets_every_call_end_while_the_database_is_away) {
  auto const cycle = outage_plan(7, 50, milliseconds{10'000});
  ASSERT_EQ(cycle.faults.size(), 1U);
  auto const& outage = cycle.faults[0];
  EXPECT_EQ(outage.kind, FaultKind::pg_away);
  EXPECT_EQ(outage.lasts, milliseconds{10'000});
  EXPECT_EQ(cycle.calls.size(), 55U);
  EXPECT_EQ(calls_at(cycle, outage.at), 50U);
  for (auto const& call : cycle.calls) {
    EXPECT_GT(call.at + call.talks_for, outage.at);
    EXPECT_LT(call.at + call.talks_for, outage.at + outage.lasts);
  }
}

TEST(ChaosFaults, are_read_from_their_names_and_a_wrong_one_is_named) {
  EXPECT_EQ(parse_faults("kill,pg_stop,kill"), (std::vector{FaultKind::kill, FaultKind::pg_stop}));
  auto const wrong = parse_faults("kill,flood");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail.find("flood"), std::string::npos);
  EXPECT_EQ(parse_faults("pg_away"), std::vector{FaultKind::pg_away});
  for (auto const kind : all_faults()) EXPECT_EQ(parse_faults(to_string(kind)), std::vector{kind});
}

}  // namespace
