#include "loadtest/load/max_calls.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/load/sample_figures.h"

namespace {

using sim::load::Figures;
using sim::load::find_max_calls;
using sim::load::MaxCalls;
using sim::load::MaxCallsOptions;
using sim::load::OnProbe;

/// A target with a capacity: beyond it frames are lost, as with a real one.
struct ImaginedTarget {
  int short_capacity = 0;  ///< what it carries for a probe
  int full_capacity = 0;   ///< and in a run of full length
  int generator_capacity = 1'000'000;
  std::vector<int> asked;
  std::set<int> failed;
  double seconds = 0;

  Figures operator()(int calls, double for_seconds) {
    asked.push_back(calls);
    seconds += for_seconds;
    auto figures = test::good_figures();
    figures.settings.calls = calls;
    figures.calls.most_at_once = calls;
    bool const full = for_seconds > 15;
    figures.generator.was_bottleneck = calls > generator_capacity;
    if (calls > (full ? full_capacity : short_capacity)) figures.to_agent.frames.lost = 1;
    if (figures.generator.was_bottleneck || figures.to_agent.frames.lost > 0) failed.insert(calls);
    return figures;
  }
};

MaxCalls search(ImaginedTarget& target, MaxCallsOptions const& options = {}) {
  return find_max_calls([&target](int calls, double seconds) { return target(calls, seconds); }, options, {});
}

TEST(MaxCalls, finds_any_capacity_within_two_percent) {
  for (int const capacity : {7, 99, 100, 101, 517, 736, 1372, 1999, 2000, 2001, 19'000}) {
    ImaginedTarget target{capacity, capacity};
    auto const found = search(target);
    EXPECT_LE(found.calls, capacity);
    EXPECT_GE(found.calls, capacity - std::max(1.0, capacity * 0.02));
    EXPECT_FALSE(target.failed.contains(found.calls));
    EXPECT_EQ(found.ended_by, MaxCalls::EndedBy::target);
    EXPECT_LE(target.asked.size(), 20U);
  }
}

TEST(MaxCalls, confirms_the_answer_with_a_run_of_full_length) {
  ImaginedTarget target{1372, 1372};
  MaxCallsOptions options;
  options.probe_s = 10;
  options.full_s = 300;
  auto const found = search(target, options);
  EXPECT_EQ(target.asked.back(), found.calls);
  EXPECT_DOUBLE_EQ(target.seconds, 10.0 * static_cast<double>(target.asked.size() - 1) + 300);
  EXPECT_EQ(found.report.max_calls, found.calls);
  EXPECT_EQ(found.report.runs.size(), target.asked.size());
  EXPECT_EQ(found.report.runs.back().settings.calls, found.calls);
}

TEST(MaxCalls, goes_down_when_the_full_run_shows_what_the_probes_did_not) {
  ImaginedTarget target{1372, 1200};
  auto const found = search(target);
  EXPECT_LE(found.calls, 1200);
  EXPECT_GE(found.calls, 1100);
  EXPECT_FALSE(target.failed.contains(found.calls));
  EXPECT_EQ(found.why, "1 frames lost (caller to agent)");
}

TEST(MaxCalls, reports_none_when_not_one_call_is_carried) {
  ImaginedTarget target{0, 0};
  EXPECT_EQ(search(target).calls, 0);
  EXPECT_EQ(target.asked.back(), 1);
}

TEST(MaxCalls, reports_none_when_no_full_run_holds) {
  ImaginedTarget target{1000, 0};
  EXPECT_EQ(search(target).calls, 0);
  EXPECT_LE(target.asked.size(), 20U);
}

TEST(MaxCalls, says_that_the_generator_gave_up_first) {
  ImaginedTarget target{100'000, 100'000, 1500};
  auto const found = search(target);
  EXPECT_EQ(found.ended_by, MaxCalls::EndedBy::generator);
  EXPECT_LE(found.calls, 1500);
  EXPECT_GE(found.calls, 1470);
}

TEST(MaxCalls, tries_again_when_the_generator_was_disturbed) {
  ImaginedTarget target{1372, 1372};
  std::set<int> disturbed;
  auto const run = [&](int calls, double seconds) {
    auto figures = target(calls, seconds);
    figures.generator.was_bottleneck = disturbed.insert(calls).second;
    return figures;
  };
  auto const found = find_max_calls(run, {}, {});
  EXPECT_LE(found.calls, 1372);
  EXPECT_GE(found.calls, 1344);
  EXPECT_EQ(found.ended_by, MaxCalls::EndedBy::target);
  EXPECT_FALSE(found.report.runs.back().generator.was_bottleneck);
}

TEST(MaxCalls, stops_at_its_limit) {
  ImaginedTarget target{100'000, 100'000};
  MaxCallsOptions options;
  options.limit = 700;
  auto const found = search(target, options);
  EXPECT_EQ(found.calls, 700);
  EXPECT_EQ(found.ended_by, MaxCalls::EndedBy::limit);
  EXPECT_EQ(found.why, "700 is the limit of the search");
}

TEST(MaxCalls, tells_of_every_probe) {
  ImaginedTarget target{250, 250};
  std::vector<std::string> told;
  OnProbe const on_probe = [&](Figures const& figures, std::string const& why_not) {
    told.push_back(std::to_string(figures.settings.calls) + ": " + why_not);
  };
  (void)find_max_calls([&](int calls, double seconds) { return target(calls, seconds); }, {}, on_probe);
  ASSERT_GE(told.size(), 3U);
  EXPECT_EQ(told[0], "100: ");
  EXPECT_EQ(told[1], "200: ");
  EXPECT_EQ(told[2], "400: 1 frames lost (caller to agent)");
}

TEST(MaxCalls, counts_as_carried_only_what_is_without_a_fault) {
  struct Fault {
    std::string why;
    void (*make)(Figures&);
  };
  std::vector<Fault> const faults{
      {"1 calls failed", [](Figures& f) { f.calls.failed = 1; }},
      {"2 calls refused", [](Figures& f) { f.calls.refused = 2; }},
      {"only 899 of 900 calls stood at once", [](Figures& f) { f.calls.most_at_once = 899; }},
      {"1 frames lost (agent to caller)", [](Figures& f) { f.to_caller.frames.lost = 1; }},
      {"1 frames swapped (caller to agent)", [](Figures& f) { f.to_agent.frames.swapped = 1; }},
      {"1 frames duplicated (caller to agent)", [](Figures& f) { f.to_agent.frames.duplicated = 1; }},
      {"1 frames in the wrong call (agent to caller)", [](Figures& f) { f.to_caller.frames.crossed = 1; }},
      {"1 frames damaged (agent to caller)", [](Figures& f) { f.to_caller.frames.damaged = 1; }},
      {"no audio arrived (agent to caller)", [](Figures& f) { f.to_caller.frames.received = 0; }},
      {"p99 20.1 ms (caller to agent)", [](Figures& f) { f.to_agent.latency.corrected.p99_ms = 20.1; }},
      {"p99 nan ms (agent to caller)", [](Figures& f) { f.to_caller.latency.corrected.p99_ms = 0.0 / 0.0; }},
  };
  EXPECT_EQ(sim::load::why_not_carried(test::good_figures(), 20), "");
  for (auto const& fault : faults) {
    auto figures = test::good_figures();
    fault.make(figures);
    EXPECT_EQ(sim::load::why_not_carried(figures, 20), fault.why);
  }
}

}  // namespace
