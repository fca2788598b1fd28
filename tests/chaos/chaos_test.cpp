// The command itself, against the real gateway.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "loadtest/demo/child.h"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using sim::demo::Child;
using std::chrono::seconds;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr char const* cycles = "4";
#else
constexpr char const* cycles = "20";
#endif

std::string text_of(fs::path const& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Processes whose command line or working folder names it.
std::vector<std::string> processes_of(fs::path const& folder) {
  std::vector<std::string> found;
  std::error_code gone;
  for (auto const& entry : fs::directory_iterator{"/proc"}) {
    auto const works_in = fs::read_symlink(entry.path() / "cwd", gone).string();
    if (works_in.starts_with(folder.string())) found.push_back(entry.path().filename().string());
  }
  return found;
}

class ChaosCommand : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/lib/postgresql")) GTEST_SKIP() << "no PostgreSQL";
    std::string name = (fs::temp_directory_path() / "chaos-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    ::chmod(name.c_str(), 0755);
    folder = name;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder.empty()) fs::remove_all(folder, ignored);
  }
  std::vector<std::string> command(std::vector<std::string> const& more) const {
    std::string const built = BINARY_ROOT;
    std::vector<std::string> all{built + "/switchboard-sim",
                                 "chaos",
                                 "--switchboard",
                                 built + "/switchboard",
                                 "--data",
                                 (folder / "run").string(),
                                 "--history",
                                 history(),
                                 "--json",
                                 report()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string history() const { return (folder / "history").string(); }
  std::string report() const { return (folder / "report").string(); }
  std::string log() const { return (folder / "log").string(); }

  fs::path folder;
};

TEST_F(ChaosCommand, finds_nothing_lost_and_nothing_doubled) {
  Child chaos{command({"--cycles", cycles, "--calls", "5", "--seed", "20"}), {}, log(), /*read_output=*/false};
  auto const status = chaos.wait(seconds{500});
  EXPECT_EQ(status, 0) << text_of(log()) << text_of(folder / "run" / "gateway.log");
  auto const told = Json::parse(text_of(report()), nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(told.is_object());
  EXPECT_EQ(told["cycles"].size(), static_cast<std::size_t>(std::atoi(cycles)));
  EXPECT_EQ(told["lost"], 0);
  EXPECT_EQ(told["doubled"], 0);
  EXPECT_NE(text_of(history()).find("call_taken"), std::string::npos);
  EXPECT_TRUE(processes_of(folder).empty()) << testing::PrintToString(processes_of(folder));
}

TEST_F(ChaosCommand, sees_every_outcome_of_undisturbed_calls_in_time) {
  // The limit of the release build on a machine of its own is a second; here others build and test meanwhile.
  Child chaos{command({"--steady", "6s", "--calls", "20", "--seed", "20", "--outcome-p99", "5s"}),
              {},
              log(),
              /*read_output=*/false};
  EXPECT_EQ(chaos.wait(seconds{200}), 0) << text_of(log()) << text_of(folder / "run" / "gateway.log");
  auto const told = Json::parse(text_of(report()), nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(told.is_object());
  auto const& undisturbed = told["undisturbed"];
  EXPECT_GE(undisturbed["outcome"]["count"], 40);
  EXPECT_EQ(undisturbed["outcome"]["count"], told["calls"]);
  EXPECT_EQ(undisturbed["told"]["count"], told["calls"]);
  EXPECT_GT(undisturbed["texted"]["count"], 0);
  EXPECT_EQ(undisturbed["never_seen"], 0);
}

TEST_F(ChaosCommand, loses_nothing_of_calls_that_end_while_the_database_is_away) {
  Child chaos{command({"--outage", "3s", "--calls", "20", "--seed", "20"}), {}, log(), /*read_output=*/false};
  EXPECT_EQ(chaos.wait(seconds{200}), 0) << text_of(log()) << text_of(folder / "run" / "gateway.log");
  auto const told = Json::parse(text_of(report()), nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(told.is_object());
  EXPECT_EQ(told["calls"], 22);
  EXPECT_EQ(told["most_at_once"], 20);
  EXPECT_EQ(told["lost"], 0);
  EXPECT_EQ(told["doubled"], 0);
  // Nobody can have seen an outcome before the database was back, and the calls end in the middle of its absence.
  EXPECT_GT(told["disturbed"]["outcome"]["p50_ms"], 300);
}

TEST_F(ChaosCommand, judges_how_long_the_outcome_took) {
  Child chaos{command({"--steady", "2s", "--calls", "2", "--seed", "20", "--outcome-p99", "0s"}),
              {},
              log(),
              /*read_output=*/false};
  EXPECT_EQ(chaos.wait(seconds{200}), 1);
  EXPECT_NE(text_of(log()).find("problem: outcome after hang-up"), std::string::npos) << text_of(log());
}

TEST_F(ChaosCommand, ends_everything_it_started_when_it_is_interrupted) {
  Child chaos{command({"--cycles", "1000", "--calls", "3", "--faults", "pg_pause"}), {}, log(), /*read_output=*/true};
  for (auto line = chaos.read_line(seconds{90}); line.find("pg_pause") == std::string::npos;
       line = chaos.read_line(seconds{90}))
    ASSERT_FALSE(line.empty()) << text_of(log());
  chaos.signal(SIGINT);
  EXPECT_EQ(chaos.wait(seconds{40}), 130) << text_of(log());
  EXPECT_TRUE(processes_of(folder).empty()) << testing::PrintToString(processes_of(folder));
}

TEST_F(ChaosCommand, knows_its_faults) {
  Child chaos{command({"--faults", "flood"}), {}, log(), /*read_output=*/true};
  EXPECT_EQ(chaos.wait(seconds{10}), 2);
  EXPECT_NE(text_of(log()).find("there is no fault flood"), std::string::npos);
}

}  // namespace
