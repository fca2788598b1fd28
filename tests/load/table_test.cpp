#include "loadtest/load/table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "loadtest/load/readings.h"
#include "tests/load/sample_figures.h"

namespace {

void expect_golden(std::string const& name, std::string const& text) {
  auto const file = std::string{SOURCE_ROOT} + "/tests/load/golden/" + name;
  if (std::getenv("SWITCHBOARD_TEST_WRITE_EXAMPLES") != nullptr) std::ofstream{file, std::ios::binary} << text;
  std::ifstream in{file, std::ios::binary};
  std::ostringstream golden;
  golden << in.rdbuf();
  EXPECT_EQ(golden.str(), text);
}

TEST(LoadTable, shows_a_good_run) {
  expect_golden("table.txt", table(test::good_figures()));
}

TEST(LoadTable, shows_what_went_wrong_and_what_is_not_known) {
  auto figures = test::good_figures();
  figures.target = {};
  figures.outcomes_written.reset();
  figures.interruptions = {};
  figures.to_agent.frames.lost = 17;
  figures.calls.failed = 2;
  figures.problems = {"2 calls: the stream was refused with 403"};
  figures.generator.was_bottleneck = true;
  figures.generator.why = "caller frames were written up to 31 ms late";
  expect_golden("table_of_a_bad_run.txt", table(figures));
}

TEST(LoadTable, sets_several_runs_against_each_other) {
  sim::load::Report report{1200, {test::good_figures(), test::good_figures()}};
  report.runs[1].settings.label = "floor";
  report.runs[1].target.process.reset();
  report.runs[1].target.per_call_kib.reset();
  expect_golden("overview.txt", overview(report));
}

TEST(LoadTable, keeps_a_line_of_progress_within_a_terminal) {
  sim::load::Stage const stage{"hanging up", 3599, 60, 19'999, 123'456, 1234.56, 1234.56, 100, 100};
  EXPECT_EQ(sim::load::progress_line({"measuring", 12.4, 60, 900, 0, 0.42, 0.97, 94.4, 62}, 900),
            "measuring     12 s    900 of 900 calls, p99   0.42 /   0.97 ms, lost 0, cpu 94 %, generator 62 %");
  EXPECT_LE(progress_line(stage, 20'000).size(), 118U);
}

TEST(LoadReadings, write_numbers_with_the_precision_they_have) {
  using sim::load::with_unit;
  EXPECT_EQ(with_unit(0, ""), "0");
  EXPECT_EQ(with_unit(2'700'000, ""), "2,700,000");
  EXPECT_EQ(with_unit(-1234, ""), "-1,234");
  EXPECT_EQ(with_unit(0.4149, "ms"), "0.41 ms");
  EXPECT_EQ(with_unit(12.34, "us"), "12.3 us");
  EXPECT_EQ(with_unit(51'900.4, "KiB"), "51,900 KiB");
  EXPECT_EQ(with_unit(1.0 / 0.0, "ms"), "?");
  EXPECT_EQ(with_unit(1e300, "ms"), "1e+300 ms");
}

TEST(LoadReadings, have_titles_of_their_own) {
  std::set<std::string> titles;
  for (auto const& reading : sim::load::readings())
    EXPECT_TRUE(titles.insert(reading.title()).second) << reading.title();
}

}  // namespace
