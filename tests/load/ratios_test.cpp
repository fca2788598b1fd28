#include "loadtest/load/ratios.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/load/sample_figures.h"

namespace {

using sim::load::Figures;
using sim::load::Report;
using sim::load::standings;

Figures a_run(std::string const& label, double us_per_frame) {
  auto figures = test::good_figures();
  figures.settings.label = label;
  figures.target.process->per_caller_frame_us = us_per_frame;
  return figures;
}

/// Three rounds, the second one disturbed.
Report three_rounds() {
  return {std::nullopt,
          {a_run("ours", 12), a_run("floor", 10), a_run("node", 60), a_run("ours", 40), a_run("floor", 30),
           a_run("node", 90), a_run("ours", 13), a_run("floor", 10.5), a_run("node", 61)}};
}

std::string refusal(Report const& report) {
  auto const found = standings(report, "floor");
  return found ? "none" : found.error().detail;
}

TEST(LoadRatios, divide_medians_so_that_a_disturbed_round_does_not_count) {
  auto const found = standings(three_rounds(), "floor");
  ASSERT_TRUE(found) << found.error().detail;
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ((*found)[0].label, "ours");
  EXPECT_DOUBLE_EQ((*found)[0].us_per_frame, 13);
  EXPECT_DOUBLE_EQ((*found)[0].ratio, 13 / 10.5);
  EXPECT_DOUBLE_EQ((*found)[0].least_us, 12);
  EXPECT_DOUBLE_EQ((*found)[0].most_us, 40);
  EXPECT_DOUBLE_EQ((*found)[1].ratio, 1);
  EXPECT_DOUBLE_EQ((*found)[2].ratio, 61 / 10.5);
}

TEST(LoadRatios, take_the_middle_of_two) {
  auto const found = standings({std::nullopt, {a_run("floor", 10), a_run("floor", 20)}}, "floor");
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ((*found)[0].us_per_frame, 15);
}

TEST(LoadRatios, add_up_what_was_lost_in_any_round) {
  auto report = three_rounds();
  report.runs[0].to_agent.frames.lost = 2;
  report.runs[3].to_caller.frames.lost = 3;
  report.runs[6].calls.failed = 1;
  auto const found = standings(report, "floor");
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)[0].lost, 5);
  EXPECT_EQ((*found)[0].failed, 1);
  EXPECT_EQ((*found)[1].lost, 0);
  auto const text = to_text(*found, "floor");
  EXPECT_NE(text.find("ours did not carry 900 calls"), std::string::npos) << text;
  EXPECT_EQ(text.find("floor did not carry"), std::string::npos) << text;
}

TEST(LoadRatios, let_each_program_have_its_own_number_of_calls) {
  auto report = three_rounds();
  for (auto& run : report.runs)
    if (run.settings.label == "node") run.settings.calls = 400;
  auto const found = standings(report, "floor");
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ((*found)[0].calls, 900);
  EXPECT_EQ((*found)[2].calls, 400);
}

TEST(LoadRatios, refuse_runs_that_mean_nothing) {
  auto report = three_rounds();
  report.runs[2].generator.was_bottleneck = true;
  report.runs[2].generator.why = "31 ms late";
  EXPECT_EQ(refusal(report), "a run of node does not count: the generator was the bottleneck: 31 ms late");
  report = three_rounds();
  report.runs[0].target.process.reset();
  EXPECT_EQ(refusal(report), "a run of ours does not count: the CPU of the target was not measured");
  report = three_rounds();
  report.runs[2].to_agent.frames.received = 0;
  EXPECT_EQ(refusal(report), "a run of node does not count: it carried nothing");
  report = three_rounds();
  report.runs[1].settings.scenario = "turns";
  EXPECT_EQ(refusal(report), "a run of floor does not count: it did not measure the same as the first run");
  EXPECT_EQ(refusal({std::nullopt, {a_run("ours", 1)}}), "there is no run of floor");
  EXPECT_EQ(refusal({std::nullopt, {a_run("floor", 0)}}), "floor used no CPU at all");
  EXPECT_EQ(refusal({}), "there is no run of floor");
}

TEST(LoadRatios, are_printed_for_people_and_programs) {
  auto const found = standings(three_rounds(), "floor");
  ASSERT_TRUE(found);
  auto const text = to_text(*found, "floor");
  EXPECT_NE(text.find("ours                3    900     13.00      12.00-40.00     1.24      31.0"), std::string::npos)
      << text;
  auto const json = nlohmann::json::parse(sim::load::to_json(*found, "floor"));
  EXPECT_EQ(json["programs"].size(), 3U);
  EXPECT_EQ(json["programs"][2]["label"], "node");
  EXPECT_DOUBLE_EQ(json["programs"][2]["ratio"].get<double>(), 61 / 10.5);
}

}  // namespace
