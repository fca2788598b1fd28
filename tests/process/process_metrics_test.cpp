#include "gateway/process_metrics.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <vector>

namespace gateway {
namespace {

class OwnProcess : public testing::Test {
 protected:
  double value_of(std::string const& name) {
    process_.refresh();
    auto const text = metrics_.expose();
    auto const at = text.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    return std::stod(text.substr(at + name.size() + 2));
  }

  base::Metrics metrics_;
  ProcessMetrics process_{metrics_};
};

TEST_F(OwnProcess, tells_how_many_descriptors_are_open) {
  auto const before = value_of("process_open_fds");
  std::vector<int> more;
  for (int i = 0; i < 5; ++i) more.push_back(::open("/", O_PATH | O_CLOEXEC));
  EXPECT_EQ(value_of("process_open_fds"), before + 5);
  for (int const descriptor : more) ::close(descriptor);
  EXPECT_EQ(value_of("process_open_fds"), before);
  EXPECT_GT(value_of("process_max_fds"), before);
}

TEST_F(OwnProcess, tells_the_memory_that_is_in_use) {
  auto const before = value_of("process_resident_memory_bytes");
  std::vector<char> const block(32 * 1024 * 1024, 'x');
  EXPECT_GE(value_of("process_resident_memory_bytes"), before + 30.0 * 1024 * 1024);
  EXPECT_EQ(block.back(), 'x');
}

TEST_F(OwnProcess, counts_the_time_it_computes) {
  auto const before = value_of("process_cpu_seconds_total");
  auto const until = std::clock() + CLOCKS_PER_SEC / 20;
  while (std::clock() < until) {
  }
  auto const after = value_of("process_cpu_seconds_total");
  EXPECT_GE(after, before + 0.04);
  EXPECT_LT(after, before + 5);
}

}  // namespace
}  // namespace gateway
