#include "loadtest/load/compare.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/load/sample_figures.h"

namespace {

using sim::load::compare;
using sim::load::Comparison;
using sim::load::Verdict;

constexpr double ten_percent = 0.1;

/// Two good runs, of which the test spoils the second.
struct TwoRuns {
  sim::load::Report before = test::good_report();
  sim::load::Report after = test::good_report();
  sim::load::Figures& changed = after.runs.back();

  Comparison compared() const {
    auto comparison = compare(before, after, ten_percent);
    EXPECT_TRUE(comparison) << comparison.error().detail;
    return comparison ? *comparison : Comparison{};
  }
  Verdict verdict(std::string const& title) const {
    auto const all = compared().readings;
    auto const found = std::ranges::find(all, title, &sim::load::ComparedReading::title);
    EXPECT_NE(found, all.end()) << title;
    return found == all.end() ? Verdict::same : found->verdict;
  }
  std::string refusal() const {
    auto const comparison = compare(before, after, ten_percent);
    return comparison ? "none" : comparison.error().detail;
  }
};

TEST(LoadCompare, finds_nothing_between_equal_runs) {
  TwoRuns const runs;
  EXPECT_FALSE(runs.compared().has_regression());
  EXPECT_TRUE(std::ranges::all_of(runs.compared().readings, [](auto const& r) { return r.verdict == Verdict::same; }));
}

TEST(LoadCompare, finds_a_latency_that_grew_beyond_the_tolerance) {
  TwoRuns runs;
  runs.changed.to_caller.latency.corrected.p99_ms *= 1.2;
  EXPECT_EQ(runs.verdict("agent to caller, p99"), Verdict::worse);
  EXPECT_EQ(runs.verdict("caller to agent, p99"), Verdict::same);
  EXPECT_TRUE(runs.compared().has_regression());
}

TEST(LoadCompare, lets_pass_what_is_within_the_tolerance) {
  TwoRuns runs;
  runs.changed.target.process->per_caller_frame_us *= 1.09;
  EXPECT_EQ(runs.verdict("cpu, per caller frame"), Verdict::same);
  runs.changed.target.process->per_caller_frame_us = 21 * 1.11;
  EXPECT_EQ(runs.verdict("cpu, per caller frame"), Verdict::worse);
}

TEST(LoadCompare, does_not_take_noise_for_a_change_however_large_in_percent) {
  TwoRuns runs;
  runs.before.runs[0].to_agent.latency.corrected.p50_ms = 0.02;
  runs.changed.to_agent.latency.corrected.p50_ms = 0.06;
  EXPECT_EQ(runs.verdict("caller to agent, p50"), Verdict::same);
}

TEST(LoadCompare, says_what_got_better) {
  TwoRuns runs;
  runs.changed.target.per_call_kib = 20;
  EXPECT_EQ(runs.verdict("memory, per call"), Verdict::better);
  EXPECT_FALSE(runs.compared().has_regression());
}

TEST(LoadCompare, wants_zero_where_zero_is_required_even_if_it_was_worse_before) {
  TwoRuns runs;
  runs.before.runs[0].to_agent.frames.lost = 10;
  runs.changed.to_agent.frames.lost = 1;
  EXPECT_EQ(runs.verdict("caller to agent, lost"), Verdict::not_zero);
  EXPECT_TRUE(runs.compared().has_regression());
  runs.changed.to_agent.frames.lost = 0;
  EXPECT_EQ(runs.verdict("caller to agent, lost"), Verdict::better);
}

TEST(LoadCompare, wants_every_outcome) {
  TwoRuns runs;
  runs.changed.outcomes_written = 899;
  EXPECT_EQ(runs.verdict("outcomes, missing"), Verdict::not_zero);
}

TEST(LoadCompare, does_not_judge_what_is_only_shown) {
  TwoRuns runs;
  runs.changed.to_agent.latency.corrected.max_ms *= 50;
  runs.changed.generator.cpu.load *= 3;
  EXPECT_FALSE(runs.compared().has_regression());
}

TEST(LoadCompare, fails_when_a_figure_is_not_measured_any_more) {
  TwoRuns runs;
  runs.changed.target.per_call_kib.reset();
  EXPECT_EQ(runs.verdict("memory, per call"), Verdict::vanished);
  EXPECT_TRUE(runs.compared().has_regression());
}

TEST(LoadCompare, welcomes_a_figure_that_was_not_measured_before) {
  TwoRuns runs;
  runs.before.runs[0].target.per_call_kib.reset();
  EXPECT_EQ(runs.verdict("memory, per call"), Verdict::appeared);
  EXPECT_FALSE(runs.compared().has_regression());
}

TEST(LoadCompare, refuses_runs_that_did_not_measure_the_same) {
  struct Change {
    std::string refusal;
    void (*make)(sim::load::RunSettings&);
  };
  std::vector<Change> const changes{
      {"scenario talk against turns", [](auto& s) { s.scenario = "turns"; }},
      {"900 calls against 901", [](auto& s) { s.calls = 901; }},
      {"ramp 50/s against 60/s", [](auto& s) { s.ramp_per_s = 60; }},
      {"60 s against 61 s", [](auto& s) { s.seconds = 61; }},
      {"tls false against true", [](auto& s) { s.tls = true; }},
      {"pcm false against true", [](auto& s) { s.pcm = true; }},
      {"recording false against true", [](auto& s) { s.recording = true; }},
      {"different options", [](auto& s) { s.other.clear(); }},
  };
  for (auto const& change : changes) {
    TwoRuns runs;
    change.make(runs.changed.settings);
    EXPECT_EQ(runs.refusal(), "these runs did not measure the same thing: " + change.refusal);
  }
}

TEST(LoadCompare, refuses_a_run_in_which_the_generator_was_the_bottleneck) {
  TwoRuns runs;
  runs.changed.generator.was_bottleneck = true;
  EXPECT_EQ(runs.refusal(),
            "the generator was the bottleneck in the second run, so its figures say nothing about the target");
}

TEST(LoadCompare, compares_different_targets_and_machines_but_says_so) {
  TwoRuns runs;
  runs.changed.settings.label = "floor";
  runs.changed.machine.cores = 64;
  auto const remarks = runs.compared().remarks;
  ASSERT_EQ(remarks.size(), 2U);
  EXPECT_EQ(remarks[0], "different machines: Imagined CPU @ 3 GHz, 2 cores against Imagined CPU @ 3 GHz, 64 cores");
  EXPECT_EQ(remarks[1], "switchboard 0.1.0 against floor");
}

TEST(LoadCompare, judges_searches_by_the_number_of_calls) {
  TwoRuns runs;
  runs.before.max_calls = 1500;
  runs.after.max_calls = 1300;
  runs.changed.settings.calls = 1300;
  runs.changed.to_agent.latency.corrected.p99_ms *= 10;
  EXPECT_EQ(runs.verdict("most calls"), Verdict::worse);
  EXPECT_EQ(runs.verdict("caller to agent, p99"), Verdict::same);
  runs.after.max_calls = 1450;
  EXPECT_EQ(runs.verdict("most calls"), Verdict::same);
  runs.after.max_calls = 2000;
  EXPECT_EQ(runs.verdict("most calls"), Verdict::better);
  runs.changed.to_agent.frames.lost = 1;
  EXPECT_EQ(runs.verdict("caller to agent, lost"), Verdict::not_zero);
}

TEST(LoadCompare, does_not_compare_a_search_with_a_run) {
  TwoRuns runs;
  runs.after.max_calls = 1300;
  EXPECT_EQ(runs.refusal(), "one report is a search for the most calls, the other is not");
}

TEST(LoadCompare, prints_the_bad_before_the_good) {
  TwoRuns runs;
  runs.changed.to_caller.latency.corrected.p99_ms = 2;
  runs.changed.target.per_call_kib = 20;
  auto const text = to_text(runs.compared());
  auto const worse =
      text.find("agent to caller, p99                                 1.00 ms       2.00 ms    +100.0 %  WORSE\n");
  auto const better =
      text.find("memory, per call                                    31.0 KiB      20.0 KiB     -35.5 %  better\n");
  EXPECT_LT(worse, better) << text;
  EXPECT_NE(better, std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("There are regressions.\n"));
}

TEST(LoadCompare, reads_a_tolerance_in_both_ways) {
  EXPECT_DOUBLE_EQ(*sim::load::parse_tolerance("10%"), 0.1);
  EXPECT_DOUBLE_EQ(*sim::load::parse_tolerance("2.5 %"), 0.025);
  EXPECT_DOUBLE_EQ(*sim::load::parse_tolerance("0.1"), 0.1);
  EXPECT_DOUBLE_EQ(*sim::load::parse_tolerance("0"), 0);
  for (auto const* text : {"", "%", "-1%", "ten", "10%%", "0.1x", "nan", "inf", "1e9"})
    EXPECT_FALSE(sim::load::parse_tolerance(text)) << text;
}

}  // namespace
