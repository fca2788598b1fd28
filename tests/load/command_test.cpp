// The commands as scripts use them: their exit codes and the files they write.
#include "loadtest/load/command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "loadtest/load/compare.h"
#include "loadtest/load/figures_json.h"
#include "loadtest/load/ratios.h"
#include "tests/load/sample_figures.h"

namespace {

namespace fs = std::filesystem;

class LoadCommands : public testing::Test {
 protected:
  LoadCommands() { fs::create_directories(folder_); }
  ~LoadCommands() override { fs::remove_all(folder_); }

  std::string file(std::string const& name) const { return (folder_ / name).string(); }
  std::string report(std::string const& name, sim::load::Report const& report) const {
    std::ofstream{file(name)} << to_json(report);
    return file(name);
  }

  struct Outcome {
    int exit_code;
    std::string out;
    std::string err;
  };
  static Outcome runs(std::vector<std::string> arguments) {
    CLI::App app;
    int exit_code = 0;
    sim::load::add_load_command(app, exit_code);
    sim::load::add_compare_command(app, exit_code);
    sim::load::add_ratios_command(app, exit_code);
    std::ranges::reverse(arguments);  // as CLI11 wants a vector
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    app.parse(arguments);
    auto out = testing::internal::GetCapturedStdout();
    return {exit_code, std::move(out), testing::internal::GetCapturedStderr()};
  }

 private:
  fs::path folder_ = fs::path{testing::TempDir()} / ("load-" + std::to_string(::getpid()));
};

TEST_F(LoadCommands, compare_exits_0_without_and_1_with_a_regression) {
  auto const before = report("before.json", test::good_report());
  auto worse = test::good_report();
  worse.runs[0].to_agent.frames.lost = 1;
  EXPECT_EQ(runs({"compare", before, before}).exit_code, 0);
  auto const outcome = runs({"compare", before, report("worse.json", worse)});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.out.find("NOT ZERO"), std::string::npos) << outcome.out;
}

TEST_F(LoadCommands, compare_takes_the_tolerance_it_is_given) {
  auto const before = report("before.json", test::good_report());
  auto slower = test::good_report();
  slower.runs[0].target.process->per_caller_frame_us *= 1.3;
  auto const after = report("after.json", slower);
  EXPECT_EQ(runs({"compare", before, after}).exit_code, 1);
  EXPECT_EQ(runs({"compare", before, after, "--tolerance", "40%"}).exit_code, 0);
}

TEST_F(LoadCommands, compare_exits_2_when_there_is_nothing_to_compare) {
  auto const before = report("before.json", test::good_report());
  auto other = test::good_report();
  other.runs[0].settings.scenario = "churn";
  auto const outcome = runs({"compare", before, report("other.json", other)});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "compare: these runs did not measure the same thing: scenario talk against churn\n");
  EXPECT_EQ(runs({"compare", before, file("missing.json")}).exit_code, 2);
  EXPECT_EQ(runs({"compare", before, before, "--tolerance", "much"}).exit_code, 2);
}

TEST_F(LoadCommands, ratios_write_what_they_print) {
  auto floor = test::good_report();
  floor.runs[0].settings.label = "floor";
  auto const outcome = runs({"ratios", report("ours.json", test::good_report()), report("floor.json", floor), "--json",
                             file("ratios.json"), "--html", file("ratios.html")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("switchboard 0.1.0"), std::string::npos);
  EXPECT_GT(fs::file_size(file("ratios.json")), 100U);
  EXPECT_GT(fs::file_size(file("ratios.html")), 1000U);
  EXPECT_EQ(runs({"ratios", file("ours.json")}).exit_code, 1);
}

TEST_F(LoadCommands, load_says_what_is_wrong_with_its_arguments) {
  struct Case {
    std::vector<std::string> arguments;
    std::string complaint;
  };
  std::vector<Case> const cases{
      {{"load"}, "name a running gateway with --target, or a program to start with --switchboard"},
      {{"load", "--target", "http://127.0.0.1:1", "--switchboard", "/bin/true"},
       "name a running gateway with --target, or a program to start with --switchboard"},
      {{"load", "--target", "http://127.0.0.1:1", "--scenario", "chat"},
       "--scenario is one of talk, turns, barge_in, hangup_storm, slow_agent, churn"},
      {{"load", "--target", "http://127.0.0.1:1", "--ramp", "fast"}, "not a rate: fast (example: 50/s)"},
      {{"load", "--target", "http://127.0.0.1:1", "--ramp", "0/s"}, "not a rate: 0/s (example: 50/s)"},
      {{"load", "--target", "http://127.0.0.1:1", "--for", "10ms"}, "--for must be at least 1s"},
      {{"load", "--target", "http://127.0.0.1:1", "--for", "long"},
       "not a duration: long (examples: 20s, 2.5s, 250ms, 1m)"},
  };
  for (auto const& one : cases) {
    auto const outcome = runs(one.arguments);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.err, "load: " + one.complaint + "\n");
  }
}

}  // namespace
