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

TEST(ChaosFaults, are_read_from_their_names_and_a_wrong_one_is_named) {
  EXPECT_EQ(parse_faults("kill,pg_stop,kill"), (std::vector{FaultKind::kill, FaultKind::pg_stop}));
  auto const wrong = parse_faults("kill,flood");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail.find("flood"), std::string::npos);
  for (auto const kind : all_faults()) EXPECT_EQ(parse_faults(to_string(kind)), std::vector{kind});
}

}  // namespace
