#include "tests/flow/child_scene.h"

namespace outside {
namespace {

class Demo : public ProcessTest {};

TEST_F(Demo, places_one_clean_call_shows_its_record_and_leaves_nothing_behind) {
  Folder folder;
  std::string const built = BINARY_ROOT;
  auto const ended = run_to_end({built + "/switchboard-sim", "demo", "--once", "--switchboard", built + "/switchboard",
                                 "--data", (folder.path() / "data").string(), "--port", std::to_string(free_port()),
                                 "--ops-port", std::to_string(free_port())},
                                {}, folder.path(), 120s);
  EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("What Switchboard wrote down"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("completed"), std::string::npos) << ended.out;
  EXPECT_TRUE(nothing_runs_in(folder.path())) << testing::PrintToString(processes_of(folder.path()));
}

}  // namespace
}  // namespace outside
