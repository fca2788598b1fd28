#include "gateway/net/stream.h"

#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "tests/net/stream_scene.h"
#include "tests/net/trust.h"

namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace asio::experimental::awaitable_operators;

enum class Layer { plain, tls_1_2, tls_1_3 };

struct Stream : testing::TestWithParam<Layer> {
  /// Both ends, with the layer of this test on them.
  base::Async<> meet() {
    if (GetParam() == Layer::plain) co_return;
    auto client = test::trust().client.make("localhost");
    if (GetParam() == Layer::tls_1_2) SSL_set_max_proto_version(client->get(), TLS1_2_VERSION);
    auto const outcome = co_await scene.handshake(*test::trust().server.make(), std::move(*client));
    EXPECT_TRUE(outcome.both());
  }
  static base::Async<std::string> read_exactly(net::Stream& stream, std::size_t size) {
    std::string read(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      auto const more = co_await stream.read_some(std::span{read}.subspan(have));
      if (!more || *more == 0) break;
      have += *more;
    }
    read.resize(have);
    co_return read;
  }
  void play(std::function<base::Async<>()> story) { EXPECT_TRUE(scene.play(std::move(story))); }

  test::StreamScene scene;
};

INSTANTIATE_TEST_SUITE_P(Over, Stream, testing::Values(Layer::plain, Layer::tls_1_2, Layer::tls_1_3),
                         [](auto const& info) {
                           return info.param == Layer::plain     ? "plain"s
                                  : info.param == Layer::tls_1_2 ? "tls_1_2"s
                                                                 : "tls_1_3"s;
                         });

TEST_P(Stream, carries_bytes_both_ways) {
  play([&]() -> base::Async<> {
    co_await meet();
    EXPECT_EQ(scene.here->is_secure(), GetParam() != Layer::plain);
    EXPECT_TRUE(co_await scene.there->write("question"));
    EXPECT_EQ(co_await read_exactly(*scene.here, 8), "question");
    EXPECT_TRUE(co_await scene.here->write("answer"));
    EXPECT_EQ(co_await read_exactly(*scene.there, 6), "answer");
  });
}

TEST_P(Stream, carries_megabytes_both_ways_at_once) {
  std::string const out(5'000'000, 'o');
  std::string back(3'000'000, 'b');
  for (std::size_t i = 0; i < back.size(); i += 1000) back[i] = static_cast<char>(i / 1000);
  play([&]() -> base::Async<> {
    co_await meet();
    auto const [wrote_out, wrote_back, read_out, read_back] =
        co_await (scene.there->write(out) && scene.here->write(back) && read_exactly(*scene.here, out.size()) &&
                  read_exactly(*scene.there, back.size()));
    EXPECT_TRUE(wrote_out);
    EXPECT_TRUE(wrote_back);
    EXPECT_TRUE(read_out == out);
    EXPECT_TRUE(read_back == back);
  });
}

TEST_P(Stream, reads_nothing_more_when_the_peer_has_ended_its_direction) {
  play([&]() -> base::Async<> {
    co_await meet();
    EXPECT_TRUE(co_await scene.there->write("last words"));
    scene.there->end_writing();
    EXPECT_EQ(co_await read_exactly(*scene.here, 100), "last words");
    std::array<char, 8> rest;
    EXPECT_EQ(co_await scene.here->read_some(rest), 0u);
    EXPECT_TRUE(co_await scene.here->write("heard"));
    EXPECT_EQ(co_await read_exactly(*scene.there, 5), "heard");
  });
}

TEST_P(Stream, takes_a_connection_that_just_ends_for_its_end) {
  play([&]() -> base::Async<> {
    co_await meet();
    EXPECT_TRUE(co_await scene.here->write("x"));
    EXPECT_EQ(co_await read_exactly(*scene.there, 1), "x");
    scene.there->release().reset();
    std::array<char, 8> rest;
    EXPECT_EQ(co_await scene.here->read_some(rest), 0u);
  });
}

TEST_P(Stream, says_unavailable_and_raises_no_signal_when_it_writes_to_a_peer_that_has_gone) {
  play([&]() -> base::Async<> {
    co_await meet();
    scene.there->release().reset();
    std::string const piece(100'000, 'x');
    base::Result<> written;
    for (int i = 0; i < 100 && written; ++i) written = co_await scene.here->write(piece);
    EXPECT_FALSE(written);
    EXPECT_EQ(written.error().fault, base::Fault::unavailable);
  });
}

TEST_P(Stream, ends_a_read_with_cancelled_when_its_socket_is_cancelled) {
  play([&]() -> base::Async<> {
    co_await meet();
    std::array<char, 8> into;
    asio::post(scene.context, [&] { scene.here->socket().cancel(); });
    auto const read = co_await scene.here->read_some(into);
    EXPECT_FALSE(read);
    EXPECT_EQ(read.error().fault, base::Fault::cancelled);
  });
}

TEST_P(Stream, ends_a_write_with_cancelled_when_its_coroutine_is_cancelled) {
  play([&]() -> base::Async<> {
    co_await meet();
    base::Result<> written;
    auto const write_too_much = [&]() -> base::Async<> {
      std::string const much(20'000'000, 'x');
      written = co_await scene.here->write(much);
    };
    asio::cancellation_signal stop;
    bool ended = false;
    asio::co_spawn(scene.context, write_too_much(),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; }));
    // Something has come, so the writer is under way; it cannot come to its end while nobody reads on.
    EXPECT_EQ((co_await read_exactly(*scene.there, 1000)).size(), 1000u);
    stop.emit(asio::cancellation_type::terminal);
    while (!ended) co_await asio::post(scene.context, asio::use_awaitable);
    EXPECT_FALSE(written);
    EXPECT_EQ(written.error().fault, base::Fault::cancelled);
  });
}

TEST_P(Stream, lets_other_work_have_a_turn_while_bytes_are_always_there) {
  play([&]() -> base::Async<> {
    co_await meet();
    EXPECT_TRUE(co_await scene.there->write(std::string(1000, 'x')));
    EXPECT_EQ((co_await read_exactly(*scene.here, 1)).size(), 1u);
    int turns = 0;
    std::function<void()> work = [&] {
      ++turns;
      asio::post(scene.context, work);
    };
    work();
    EXPECT_EQ((co_await read_exactly(*scene.here, 1)).size(), 1u);
    std::array<char, 1> one;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await scene.here->read_some(one), 1u);
    EXPECT_GE(turns, 100);
    work = [] {};
  });
}

TEST_P(Stream, moves_to_another_loop_in_mid_conversation_and_loses_nothing) {
  net::RawStream travelling;
  play([&]() -> base::Async<> {
    co_await meet();
    EXPECT_TRUE(co_await scene.there->write("one, "));
    EXPECT_TRUE(co_await scene.there->write("two, "));
    // TLS has read ahead: what follows the first byte lies inside it, not in the socket.
    EXPECT_EQ(co_await read_exactly(*scene.here, 1), "o");
    travelling = scene.here->release();
    EXPECT_TRUE(co_await scene.there->write("three"));
  });
  std::string heard;
  asio::io_context elsewhere{1};
  std::thread thread{[&] {
    test::play(elsewhere, [&]() -> base::Async<> {
      auto stream = net::Stream::adopt(elsewhere.get_executor(), std::move(travelling));
      EXPECT_TRUE(stream);
      heard = co_await read_exactly(*stream, 14);
      EXPECT_TRUE(co_await stream->write("and back"));
    });
  }};
  thread.join();
  EXPECT_EQ(heard, "ne, two, three");
  play([&]() -> base::Async<> { EXPECT_EQ(co_await read_exactly(*scene.there, 8), "and back"); });
}

TEST(RawStream, cannot_be_adopted_when_its_socket_is_none) {
  asio::io_context context{1};
  auto const adopted = net::Stream::adopt(context.get_executor(), net::RawStream{});
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().fault, base::Fault::unavailable);
}

}  // namespace
