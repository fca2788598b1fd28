#include "loadtest/load/figures_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/load/sample_figures.h"

namespace {

using sim::load::read_report;
using sim::load::to_json;

std::string replaced(std::string text, std::string const& what, std::string const& with) {
  auto const at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string complaint_about(std::string const& json) {
  auto const report = read_report(json);
  return report ? "none" : report.error().detail;
}

TEST(FiguresJson, gives_back_what_was_written) {
  auto report = test::good_report();
  report.max_calls = 1480;
  report.runs.push_back(test::good_figures());
  report.runs[1].problems = {"call 3: the stream was refused \xE2\x80\x93 403"};
  auto const json = to_json(report);
  auto const again = read_report(json);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(to_json(*again), json);
  // The comparison above would be content with a field that is neither written nor read.
  EXPECT_EQ(again->max_calls, 1480);
  ASSERT_EQ(again->runs.size(), 2U);
  EXPECT_EQ(again->runs[0].machine.cpu_model, "Imagined CPU @ 3 GHz");
  EXPECT_EQ(again->runs[0].to_caller.latency.uncorrected.histogram.size(), 3U);
  EXPECT_DOUBLE_EQ(again->runs[0].to_caller.latency.corrected.p999_ms, 2.4);
  EXPECT_EQ(again->runs[0].moments.size(), 5U);
  EXPECT_EQ(again->runs[0].target.descriptors_end, 42);
  EXPECT_EQ(again->runs[1].problems, report.runs[1].problems);
}

TEST(FiguresJson, tells_not_measured_from_zero) {
  auto report = test::good_report();
  report.runs[0].target.per_call_kib.reset();
  report.runs[0].outcomes_wrong = 0;
  auto const again = read_report(to_json(report));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_FALSE(again->runs[0].target.per_call_kib);
  EXPECT_EQ(again->runs[0].outcomes_wrong, 0);
}

TEST(FiguresJson, refuses_what_is_no_report) {
  for (auto const* text : {"", "{", "[]", "null", "{}", R"({"format":"something else","version":1})"})
    EXPECT_EQ(complaint_about(text), "not a report of switchboard-sim load") << text;
}

TEST(FiguresJson, refuses_another_version) {
  auto const json = replaced(to_json(test::good_report()), R"("version": 1)", R"("version": 2)");
  EXPECT_EQ(complaint_about(json), "not version 1 of the report; measure again");
}

TEST(FiguresJson, names_the_field_that_is_wrong) {
  auto const json = to_json(test::good_report());
  EXPECT_EQ(complaint_about(replaced(json, R"("swapped")", R"("sweeped")")),
            "runs[0].to_agent.frames.swapped is missing");
  EXPECT_EQ(complaint_about(replaced(json, R"("lost": 0)", R"("lost": "0")")),
            "runs[0].to_agent.frames.lost must be a whole number");
  EXPECT_EQ(complaint_about(replaced(json, R"("lost": 0)", R"("lost": -1)")),
            "runs[0].to_agent.frames.lost is out of range");
  EXPECT_EQ(complaint_about(replaced(json, R"("lost": 0)", R"("lost": 18446744073709551615)")),
            "runs[0].to_agent.frames.lost is out of range");
  EXPECT_EQ(complaint_about(replaced(json, R"("calls": 900)", R"("calls": 3000000000)")),
            "runs[0].settings.calls is out of range");
  EXPECT_EQ(complaint_about(replaced(json, R"("tls": false)", R"("tls": 0)")),
            "runs[0].settings.tls must be true or false");
  EXPECT_EQ(complaint_about(replaced(json, R"("measured_s": 60.0)", R"("measured_s": null)")),
            "runs[0].measured_s must be a number");
  EXPECT_EQ(complaint_about(replaced(json, R"("problems": [])", R"("problems": {})")),
            "runs[0].problems must be a list");
  EXPECT_EQ(complaint_about(replaced(json, R"("problems": [])", R"("problems": [1])")),
            "runs[0].problems[0] must be a text");
}

TEST(FiguresJson, does_not_pass_off_a_number_that_is_none) {
  auto report = test::good_report();
  report.runs[0].measured_s = std::nan("");
  EXPECT_EQ(complaint_about(to_json(report)), "runs[0].measured_s must be a number");
}

TEST(FiguresJson, has_limits) {
  EXPECT_EQ(complaint_about(std::string((64U << 20U) + 1, ' ')), "larger than 64 MiB");
  auto report = test::good_report();
  report.runs.clear();
  EXPECT_EQ(complaint_about(to_json(report)), "runs is empty");
  report.runs.resize(1001);
  EXPECT_EQ(complaint_about(to_json(report)), "runs has more than 1000 items");
  report.runs.resize(1);
  report.runs[0].problems.resize(100'001);
  EXPECT_EQ(complaint_about(to_json(report)), "runs[0].problems has more than 100000 items");
}

TEST(FiguresJson, survives_any_cut) {
  auto const json = to_json(test::good_report());
  for (std::size_t length = 0; length + 1 < json.size(); length += 97)
    EXPECT_FALSE(read_report(std::string_view{json}.substr(0, length))) << length;
}

TEST(FiguresJson, names_the_file_that_is_not_there) {
  auto const report = sim::load::load_report("/nonexistent/report.json");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().detail, "/nonexistent/report.json: cannot be read");
}

}  // namespace
