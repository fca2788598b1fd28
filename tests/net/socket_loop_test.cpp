#include "gateway/net/socket_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>

#include "gateway/net/descriptors.h"

namespace net {
namespace {

/// Counts how often it is told that there is something to read.
class Bellows final : public SocketLoop::Connection {
 public:
  Bellows(SocketLoop& loop, int& rung) : loop_{loop}, rung_{rung}, event_{::eventfd(0, EFD_NONBLOCK)} {
    EXPECT_TRUE(loop_.add(event_, *this));
  }
  ~Bellows() {
    loop_.remove(event_, *this);
    ::close(event_);
  }
  void ring() { EXPECT_EQ(::eventfd_write(event_, 1), 0); }

  void on_ready(std::uint32_t) override {
    eventfd_t value = 0;
    if (::eventfd_read(event_, &value) == 0) ++rung_;
  }
  void flush() override {}
  void on_due(SocketLoop::Instant) override {}

 private:
  SocketLoop& loop_;
  int& rung_;
  int event_;
};

TEST(SocketLoop, serves_all_that_is_ready_before_it_lets_messages_gather_again) {
  constexpr int many = 3 * Poller::batch + 10;
  ASSERT_GE(raise_descriptor_limit(many + 100), static_cast<std::size_t>(many + 100));
  asio::io_context context{1};
  auto& loop = SocketLoop::of(context.get_executor());
  int rung = 0;
  std::vector<std::unique_ptr<Bellows>> bells;
  for (int i = 0; i < many; ++i) bells.push_back(std::make_unique<Bellows>(loop, rung));
  // Two looks in quick succession, and the loop pauses between looks.
  while (rung < 4) {
    bells.front()->ring();
    context.run_one();
  }
  rung = 0;

  for (auto& bell : bells) bell->ring();
  while (rung == 0) context.run_one();
  // poll() takes what is ready now and waits for no pause.
  context.poll();

  EXPECT_EQ(rung, many);
  bells.clear();
  context.poll();
}

}  // namespace
}  // namespace net
