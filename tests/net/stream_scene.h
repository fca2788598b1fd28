#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "gateway/net/stream.h"
#include "gateway/net/tls.h"
#include "tests/support/authority.h"
#include "tests/support/story.h"

namespace test {

/// Two ends of one connection over loopback, on one loop: `here` accepted it, `there` opened it.
class StreamScene {
 public:
  using Tcp = asio::ip::tcp;

  StreamScene() { connect(); }

  /// A new connection in place of the old one.
  void connect() {
    Tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    Tcp::socket client{context};
    client.connect(acceptor.local_endpoint());
    there.emplace(std::move(client));
    here.emplace(acceptor.accept());
  }

  /// How a handshake of both ends went.
  struct Outcome {
    base::Result<> here;
    base::Result<> there;
    bool both() const { return here && there; }
  };
  base::Async<Outcome> handshake(net::SslPtr server, net::SslPtr client) {
    using namespace asio::experimental::awaitable_operators;
    auto [here_done, there_done] = co_await (at(*here, std::move(server)) && at(*there, std::move(client)));
    co_return Outcome{std::move(here_done), std::move(there_done)};
  }
  bool play(std::function<base::Async<>()> story) { return test::play(context, std::move(story)); }

  asio::io_context context{1};
  std::optional<net::Stream> here;
  std::optional<net::Stream> there;

 private:
  /// An end that gives up says so by closing its direction, so that the other one does not wait for ever.
  static base::Async<base::Result<>> at(net::Stream& stream, net::SslPtr tls) {
    auto done = co_await stream.handshake(std::move(tls));
    if (!done) stream.end_writing();
    co_return done;
  }
};

}  // namespace test
