#include "gateway/net/handshake_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <future>
#include <thread>

#include "tests/support/story.h"

namespace {

using namespace std::chrono_literals;

TEST(HandshakeThread, works_elsewhere_and_resumes_here) {
  net::HandshakeThread thread;
  asio::io_context context{1};
  std::thread::id worked_on;
  EXPECT_TRUE(test::play(context, [&]() -> base::Async<> {
    auto const here = std::this_thread::get_id();
    bool const done = co_await thread.run([&] { worked_on = std::this_thread::get_id(); });
    EXPECT_TRUE(done);
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_NE(worked_on, here);
  }));
}

/// A thread that is busy until told.
struct BusyThread : testing::Test {
  BusyThread() {
    asio::co_spawn(
        other, [this]() -> base::Async<> { (void)co_await thread.run([this] { occupy(); }); },
        [](std::exception_ptr) {});
    other.poll();
    busy.get_future().wait();
  }
  ~BusyThread() override {
    finish();
    other.run();
  }
  void occupy() {
    busy.set_value();
    go.get_future().wait();
  }
  void finish() {
    if (!finished) go.set_value();
    finished = true;
  }
  std::promise<void> busy;
  std::promise<void> go;
  bool finished = false;
  net::HandshakeThread thread;
  asio::io_context other{1};
};

TEST_F(BusyThread, forgets_work_that_was_cancelled_before_its_turn) {
  asio::io_context context{1};
  bool worked = false;
  asio::cancellation_signal stop;
  bool done = true;
  EXPECT_TRUE(test::play(context, [&]() -> base::Async<> {
    auto const wait = [&]() -> base::Async<> {
      co_await asio::this_coro::throw_if_cancelled(false);
      done = co_await thread.run([&] { worked = true; });
    };
    bool ended = false;
    asio::co_spawn(context, wait(),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; }));
    co_await asio::post(context, asio::use_awaitable);
    stop.emit(asio::cancellation_type::terminal);
    while (!ended) co_await asio::post(context, asio::use_awaitable);
  }));
  EXPECT_FALSE(done);
  finish();
  EXPECT_TRUE(test::play(context, [&]() -> base::Async<> { (void)co_await thread.run([] {}); }));
  EXPECT_FALSE(worked);
}

TEST_F(BusyThread, does_not_touch_a_loop_that_has_gone) {
  bool worked = false;
  {
    asio::io_context context{1};
    asio::co_spawn(
        context, [&]() -> base::Async<> { (void)co_await thread.run([&] { worked = true; }); },
        [](std::exception_ptr) {});
    context.poll();
  }
  finish();
  asio::io_context context{1};
  EXPECT_TRUE(test::play(context, [&]() -> base::Async<> { (void)co_await thread.run([] {}); }));
  EXPECT_FALSE(worked);
}

}  // namespace
