#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "crm/journal/call_record_json.h"
#include "crm/journal/posix_files.h"
#include "crm/journal/segments.h"
#include "gateway/commands/journal.h"
#include "tests/crm/call_scene.h"

namespace {

using crm::journal::PosixFiles;
using crm::journal::Segments;

class JournalCommands : public test::BusinessTest {
 protected:
  /// BusinessTest for its records: no database is asked here.
  void SetUp() override {}

  void write(std::vector<crm::CallRecord> const& records) {
    PosixFiles files{folder.path() / "journal", PosixFiles::Access::sole};
    Segments segments{files, {.segment_bytes = 1U << 16U}, base::Log::silent()};
    ASSERT_TRUE(segments.recover());
    std::vector<crm::journal::Entry> entries;
    for (auto const& each : records) entries.push_back({each.id.text(), each.version, crm::journal::encode(each)});
    ASSERT_TRUE(segments.append(entries));
    segments.close();
  }
  int run_command(std::string const& arguments) {
    out.str("");
    err.str("");
    CLI::App app{"switchboard"};
    int exit_code = -1;
    gateway::CommandContext context{.open_database = {}, .out = &out, .err = &err};
    context.load_settings = [this] {
      config::Settings settings;
      settings.data_dir = folder.path();
      settings.journal.reserve_mib = 1;
      return settings;
    };
    gateway::add_journal_commands(app, context, exit_code);
    try {
      app.parse(arguments);
    } catch (CLI::ParseError const& error) {
      exit_code = gateway::exit_code_for(app, error, context);
    }
    return exit_code;
  }
  std::vector<std::string> waiting() {
    EXPECT_EQ(run_command("journal list --json"), 0) << err.str();
    std::vector<std::string> ids;
    auto const listed = nlohmann::json::parse(out.str());
    for (auto const& each : listed["waiting"]) ids.push_back(each["id"]);
    return ids;
  }

  test::OpenFolder folder;
  std::ostringstream out, err;
};

using Ids = std::vector<std::string>;

TEST_F(JournalCommands, give_up_the_record_that_is_named_and_no_other) {
  write({call(1), call(2), call(3)});
  EXPECT_EQ(run_command("journal drop call_2"), 0) << err.str();
  EXPECT_EQ(out.str(), "dropped call_2\n");
  EXPECT_EQ(waiting(), (Ids{"call_1", "call_3"}));
  auto newer = call(2);
  newer.version = 2;
  write({newer});
  EXPECT_EQ(waiting(), (Ids{"call_1", "call_3", "call_2"})) << "what is written later counts again";
}

TEST_F(JournalCommands, say_that_there_is_no_such_record) {
  EXPECT_EQ(run_command("journal drop call_1"), 1);
  EXPECT_NE(err.str().find("there is no record call_1 in the journal"), std::string::npos) << err.str();
  write({call(1)});
  EXPECT_EQ(run_command("journal drop call_9"), 1);
  EXPECT_EQ(waiting(), Ids{"call_1"});
}

TEST_F(JournalCommands, leave_the_journal_to_a_process_that_runs) {
  write({call(1)});
  PosixFiles const running{folder.path() / "journal", PosixFiles::Access::sole};
  EXPECT_EQ(run_command("journal drop call_1"), 1);
  EXPECT_NE(err.str().find("another Switchboard keeps its journal"), std::string::npos) << err.str();
  EXPECT_EQ(waiting(), Ids{"call_1"});
}

}  // namespace
