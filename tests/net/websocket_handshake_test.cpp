#include <gmock/gmock.h>
#include <openssl/x509.h>

#include <boost/asio/ssl.hpp>
#include <future>
#include <thread>

#include "gateway/net/websocket.h"
#include "tests/net/websocket_scene.h"

namespace {

using namespace std::chrono_literals;

struct WebSocketHandshake : test::WebSocketScene {};

TEST_F(WebSocketHandshake, does_not_offer_or_take_compression) {
  with_raw_client([&]() -> base::Async<> { co_return; });
  test::SocketScene other;
  test::RawPeer offering{other.context.get_executor()};
  other.play([&]() -> base::Async<> {
    (void)co_await offering.connect(other.port, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    EXPECT_EQ(offering.head.find("permessage"), std::string::npos);
    co_await other.here.until([&] { return other.here.socket != nullptr; });
  });
}

TEST_F(WebSocketHandshake, echoes_the_chosen_subprotocol) {
  scene.on_upgrade = [&](net::PendingUpgrade pending) -> base::Async<> {
    EXPECT_EQ(pending.request().headers.find("Sec-WebSocket-Protocol"), "a, b");
    auto opened = co_await pending.accept({}, "b");
    EXPECT_TRUE(opened);
    here.have(std::move(*opened));
    co_await here.run();
  };
  scene.play([&]() -> base::Async<> {
    auto const status = co_await peer.connect(scene.port, "Sec-WebSocket-Protocol: a, b\r\n");
    EXPECT_EQ(status, 101u);
    EXPECT_THAT(peer.head, testing::HasSubstr("Sec-WebSocket-Protocol: b\r\n"));
  });
}

TEST_F(WebSocketHandshake, tells_a_refused_client_the_status_only) {
  scene.on_upgrade = [](net::PendingUpgrade pending) -> base::Async<> {
    co_await pending.refuse(net::error_response(403, "FORBIDDEN", "the secret reason"));
  };
  scene.play([&]() -> base::Async<> {
    auto const opened = co_await net::connect_websocket(scene.url(), {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::refused);
    EXPECT_EQ(opened.error().detail, "upgrade answered with status 403");
  });
}

TEST_F(WebSocketHandshake, closes_an_upgrade_that_nobody_takes) {
  scene.on_upgrade = [](net::PendingUpgrade) -> base::Async<> { co_return; };
  scene.play([&]() -> base::Async<> {
    auto const status = co_await peer.connect(scene.port);
    EXPECT_EQ(status, 0u);
  });
}

TEST_F(WebSocketHandshake, answers_a_plain_request_on_its_path_with_400) {
  bool accepted = true;
  scene.on_upgrade = [&](net::PendingUpgrade pending) -> base::Async<> {
    auto const opened = co_await pending.accept({});
    accepted = opened.has_value();
  };
  scene.play([&]() -> base::Async<> {
    (void)co_await peer.connect(scene.port, "");
    test::RawPeer plain{scene.context.get_executor()};
    (void)co_await plain.socket().async_connect({asio::ip::address_v4::loopback(), scene.port}, base::quietly);
    co_await plain.say("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string answer(64, ' ');
    (void)co_await plain.socket().async_read_some(asio::buffer(answer), base::quietly);
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 400 "));
  });
  EXPECT_FALSE(accepted);
}

TEST_F(WebSocketHandshake, can_be_accepted_on_another_thread) {
  asio::io_context core{1};
  auto const work = asio::make_work_guard(core);
  std::thread thread{[&] { core.run(); }};
  test::Side far{core.get_executor()};
  std::thread::id ran_on;
  far.on_message = [&](std::string_view message) {
    ran_on = std::this_thread::get_id();
    EXPECT_TRUE(far.socket->send(message));
  };
  std::promise<void> far_ended;
  scene.on_upgrade = [&](net::PendingUpgrade pending) -> base::Async<> {
    auto const carried = std::make_shared<net::PendingUpgrade>(std::move(pending));
    auto const there_on = [&far, carried]() -> base::Async<> {
      auto opened = co_await carried->accept({});
      EXPECT_TRUE(opened);
      far.have(std::move(*opened));
      co_await far.run();
    };
    auto const started = std::make_shared<decltype(there_on)>(there_on);
    asio::co_spawn(core, (*started)(), [&far_ended, started](std::exception_ptr) { far_ended.set_value(); });
    co_return;
  };
  scene.play([&]() -> base::Async<> {
    auto opened = co_await net::connect_websocket(scene.url(), {}, {}, *scene.tls, 5s);
    EXPECT_TRUE(opened);
    there.have(std::move(*opened));
    scene.tasks.spawn(there.run());
    EXPECT_TRUE(there.socket->send("over there"));
    co_await there.until_heard(1);
    co_await there.socket->close(1000, "");
    co_await there.until_closed();
  });
  EXPECT_EQ(far_ended.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(ran_on, thread.get_id());
  core.stop();
  thread.join();
  EXPECT_EQ(far.closed->code, 1000);
}

TEST_F(WebSocketHandshake, says_unavailable_when_nobody_listens) {
  scene.play([&]() -> base::Async<> {
    auto const opened = co_await net::connect_websocket(*net::parse_url("ws://127.0.0.1:1/"), {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
  });
}

TEST_F(WebSocketHandshake, says_unavailable_for_a_name_that_does_not_exist) {
  scene.play([&]() -> base::Async<> {
    auto const opened =
        co_await net::connect_websocket(*net::parse_url("ws://no-such-host.invalid/"), {}, {}, *scene.tls, 15s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
  });
}

TEST_F(WebSocketHandshake, gives_up_on_a_server_that_accepts_and_says_nothing) {
  test::Tcp::acceptor mute{scene.context, {asio::ip::address_v4::loopback(), 0}};
  scene.play([&]() -> base::Async<> {
    for (auto const* scheme : {"ws", "wss"}) {
      auto const target =
          *net::parse_url(std::string{scheme} + "://127.0.0.1:" + std::to_string(mute.local_endpoint().port()));
      auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 50ms);
      EXPECT_FALSE(opened);
      EXPECT_EQ(opened.error().fault, base::Fault::timed_out) << scheme;
    }
  });
}

TEST_F(WebSocketHandshake, says_protocol_to_a_server_that_speaks_something_else) {
  test::Tcp::acceptor acceptor{scene.context, {asio::ip::address_v4::loopback(), 0}};
  auto const serve = [&]() -> base::Async<> {
    (void)co_await acceptor.async_accept(peer.socket(), base::quietly);
    co_await peer.say(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        "wrong\r\n\r\n");
  };
  scene.play([&]() -> base::Async<> {
    scene.tasks.spawn(serve());
    auto const target = *net::parse_url("ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
    auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_TRUE(opened.error().fault == base::Fault::protocol || opened.error().fault == base::Fault::refused)
        << opened.error().detail;
  });
}

TEST_F(WebSocketHandshake, says_unavailable_when_tls_meets_a_plain_server) {
  scene.play([&]() -> base::Async<> {
    auto const target = scene.url().with_scheme("wss");
    auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
  });
}

/// A key and a certificate for 127.0.0.1 that nobody has signed but itself.
asio::ssl::context self_signed() {
  asio::ssl::context context{asio::ssl::context::tls_server};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> const certificate{X509_new(), &X509_free};
  X509_set_version(certificate.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  auto* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  SSL_CTX_use_certificate(context.native_handle(), certificate.get());
  SSL_CTX_use_PrivateKey(context.native_handle(), key.get());
  return context;
}

TEST_F(WebSocketHandshake, does_not_trust_a_certificate_that_signed_itself) {
  test::Tcp::acceptor acceptor{scene.context, {asio::ip::address_v4::loopback(), 0}};
  auto server_context = self_signed();
  asio::ssl::stream<test::Tcp::socket> server{scene.context, server_context};
  boost::system::error_code server_saw;
  auto const serve = [&]() -> base::Async<> {
    (void)co_await acceptor.async_accept(server.next_layer(), base::quietly);
    auto [error] = co_await server.async_handshake(asio::ssl::stream_base::server, base::quietly);
    if (!error) {
      std::string request(1, ' ');
      auto [read_error, count] = co_await server.async_read_some(asio::buffer(request), base::quietly);
      error = read_error;
    }
    server_saw = error;
  };
  scene.play([&]() -> base::Async<> {
    scene.tasks.spawn(serve());
    auto const target = *net::parse_url("wss://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
    auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
    EXPECT_THAT(opened.error().detail, testing::HasSubstr("TLS: certificate verify failed"));
  });
  EXPECT_TRUE(server_saw) << "a request was sent in spite of the certificate";
}

TEST_F(WebSocketHandshake, does_not_send_a_header_that_would_break_out_of_its_line) {
  scene.play([&]() -> base::Async<> {
    net::Headers headers;
    headers.add("X", "a\r\nHost: evil");
    auto const opened = co_await net::connect_websocket(scene.url(), headers, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::protocol);
  });
}

}  // namespace
