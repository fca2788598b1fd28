#include "gateway/net/tls.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <fstream>
#include <thread>

#include "tests/net/stream_scene.h"

namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

struct Tls : testing::Test {
  using Outcome = test::StreamScene::Outcome;

  net::TlsServer& serve(test::CertificateWish const& wish = {}) {
    files = authority.issue("server", wish);
    server.emplace(files.chain, files.key);
    return *server;
  }
  /// A new connection and both handshakes; the client checks for `name`.
  Outcome connect(std::string const& name = "localhost", net::TlsClient const* as = nullptr) {
    auto state = (as != nullptr ? *as : client).make(name);
    EXPECT_TRUE(state);
    there = state->get();
    return connect(std::move(*state));
  }
  Outcome connect(net::SslPtr state) {
    scene.connect();
    Outcome outcome;
    EXPECT_TRUE(
        scene.play([&]() -> base::Async<> { outcome = co_await scene.handshake(*server->make(), std::move(state)); }));
    return outcome;
  }
  /// Sends and hears a word, which also brings what a TLS 1.3 server sends after its handshake.
  void say(std::string const& word = "hello") {
    EXPECT_TRUE(scene.play([&]() -> base::Async<> {
      EXPECT_TRUE(co_await scene.here->write(word));
      std::string heard(word.size(), ' ');
      EXPECT_EQ(co_await scene.there->read_some(heard), word.size());
      EXPECT_EQ(heard, word);
    }));
  }
  /// A client that is worse than ours.
  net::SslPtr careless_client(std::function<void(SSL_CTX*)> const& wish) {
    std::unique_ptr<SSL_CTX, ContextFree> const context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_security_level(context.get(), 0);
    wish(context.get());
    net::SslPtr state{SSL_new(context.get())};
    SSL_set_connect_state(state.get());
    there = state.get();
    return state;
  }
  std::string subject_there() const {
    std::array<char, 64> text{};
    std::unique_ptr<X509, void (*)(X509*)> const certificate{SSL_get1_peer_certificate(there), X509_free};
    if (!certificate) return "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, text.data(), text.size());
    return text.data();
  }

  test::Authority authority;
  net::TlsClient client{authority.file()};
  test::Authority::Files files;
  std::optional<net::TlsServer> server;
  test::StreamScene scene;
  SSL* there = nullptr;  // belongs to scene.there
};

void expect_unverified(Tls::Outcome const& outcome, std::string const& why) {
  ASSERT_FALSE(outcome.there);
  EXPECT_EQ(outcome.there.error().fault, base::Fault::unavailable);
  EXPECT_EQ(outcome.there.error().detail, "TLS: certificate verify failed: " + why);
}

TEST_F(Tls, trusts_a_certificate_of_the_extra_authority_by_name) {
  serve();
  EXPECT_TRUE(connect().both());
  EXPECT_STREQ(SSL_get_version(there), "TLSv1.3");
  EXPECT_STREQ(SSL_get_servername(there, TLSEXT_NAMETYPE_host_name), "localhost");
}

TEST_F(Tls, trusts_a_certificate_that_holds_the_address) {
  serve({.names = "IP:127.0.0.1,IP:::1"});
  EXPECT_TRUE(connect("127.0.0.1").both());
  EXPECT_EQ(SSL_get_servername(there, TLSEXT_NAMETYPE_host_name), nullptr);
  EXPECT_TRUE(connect("::1").both());
}

TEST_F(Tls, takes_an_rsa_certificate_too) {
  serve({.rsa = true});
  EXPECT_TRUE(connect().both());
}

TEST_F(Tls, does_not_trust_a_certificate_for_another_name) {
  serve({.names = "DNS:other.example"});
  expect_unverified(connect(), "hostname mismatch");
}

TEST_F(Tls, does_not_trust_a_certificate_for_another_address) {
  serve({.names = "DNS:127.0.0.1,IP:127.0.0.2"});
  expect_unverified(connect("127.0.0.1"), "IP address mismatch");
}

TEST_F(Tls, does_not_trust_an_authority_that_it_was_not_told_of) {
  serve();
  net::TlsClient const stranger;
  expect_unverified(connect("localhost", &stranger), "unable to get local issuer certificate");
}

TEST_F(Tls, does_not_trust_a_certificate_that_has_expired) {
  serve({.begins = -2h, .ends = -1h});
  expect_unverified(connect(), "certificate has expired");
}

TEST_F(Tls, does_not_trust_a_certificate_that_is_not_valid_yet) {
  serve({.begins = 1h, .ends = 2h});
  expect_unverified(connect(), "certificate is not yet valid");
}

TEST_F(Tls, refuses_a_name_that_no_certificate_can_hold) {
  auto const made = client.make("a\0b"s);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().fault, base::Fault::unavailable);
  EXPECT_FALSE(client.make(""));
}

TEST_F(Tls, refuses_a_client_of_tls_1_1) {
  serve();
  auto const outcome =
      connect(careless_client([](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION); }));
  ASSERT_FALSE(outcome.here);
  EXPECT_EQ(outcome.here.error().fault, base::Fault::unavailable);
  EXPECT_EQ(outcome.here.error().detail, "TLS: unsupported protocol");
  EXPECT_FALSE(outcome.there);
}

TEST_F(Tls, refuses_ciphers_without_forward_secrecy_or_authentication) {
  serve({.rsa = true});
  for (auto const* weak : {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"}) {
    auto const outcome = connect(careless_client([weak](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
      EXPECT_EQ(SSL_CTX_set_cipher_list(context, weak), 1);
    }));
    ASSERT_FALSE(outcome.here) << weak;
    EXPECT_EQ(outcome.here.error().detail, "TLS: no shared cipher") << weak;
    EXPECT_FALSE(outcome.there);
  }
}

TEST_F(Tls, speaks_tls_1_2_with_a_client_that_knows_no_better) {
  serve();
  EXPECT_TRUE(connect(careless_client([](SSL_CTX* context) {
                SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
              })).both());
  EXPECT_THAT(SSL_get_cipher_name(there), StartsWith("ECDHE-ECDSA-"));
}

TEST_F(Tls, does_not_renegotiate) {
  serve();
  EXPECT_TRUE(connect(careless_client([](SSL_CTX* context) {
                SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
              })).both());
  EXPECT_EQ(SSL_renegotiate(there), 1);
  std::array<char, 8> into;
  EXPECT_TRUE(scene.play([&]() -> base::Async<> {
    using namespace asio::experimental::awaitable_operators;
    auto const again = co_await (scene.there->write("x") || scene.here->read_some(into));
    EXPECT_EQ(again.index(), 0u);
    if (again.index() != 0u) co_return;
    EXPECT_FALSE(std::get<0>(again));
    if (!std::get<0>(again)) {
      EXPECT_EQ(std::get<0>(again).error().detail, "TLS: no renegotiation");
    }
  }));
}

TEST_F(Tls, agrees_on_http_1_1_and_refuses_a_client_that_speaks_only_something_newer) {
  serve();
  auto const offering = [this](std::string const& protocols) {
    auto state = client.make("localhost");
    SSL_set_alpn_protos(state->get(), reinterpret_cast<unsigned char const*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    there = state->get();
    return connect(std::move(*state));
  };
  EXPECT_TRUE(offering("\x02h2\x08http/1.1").both());
  unsigned char const* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(there, &chosen, &size);
  EXPECT_EQ((std::string{reinterpret_cast<char const*>(chosen), size}), "http/1.1");
  auto const refused = offering("\x02h2");
  ASSERT_FALSE(refused.there);
  EXPECT_THAT(refused.there.error().detail, HasSubstr("no application protocol"));
}

TEST_F(Tls, knows_a_returning_client_by_its_ticket) {
  serve();
  EXPECT_TRUE(connect().both());
  say();
  std::unique_ptr<SSL_SESSION, void (*)(SSL_SESSION*)> const session{SSL_get1_session(there), SSL_SESSION_free};
  scene.there->end_writing();  // OpenSSL forgets a session that ends without a goodbye
  auto state = client.make("localhost");
  SSL_set_session(state->get(), session.get());
  there = state->get();
  EXPECT_TRUE(connect(std::move(*state)).both());
  EXPECT_EQ(SSL_session_reused(there), 1);
}

TEST_F(Tls, leaves_a_handshake_that_never_ends_to_whoever_limits_it) {
  serve();
  EXPECT_TRUE(scene.play([&]() -> base::Async<> {
    EXPECT_TRUE(co_await scene.there->write("\x16\x03\x01"));  // how a hello begins
    asio::post(scene.context, [&] { scene.here->socket().cancel(); });
    auto const shaken = co_await scene.here->handshake(*server->make());
    EXPECT_FALSE(shaken);
    EXPECT_EQ(shaken.error().fault, base::Fault::cancelled);
  }));
}

TEST_F(Tls, says_what_it_heard_instead_of_a_hello) {
  serve();
  EXPECT_TRUE(scene.play([&]() -> base::Async<> {
    EXPECT_TRUE(co_await scene.there->write("GET / HTTP/1.1\r\n\r\n"));
    auto const shaken = co_await scene.here->handshake(*server->make());
    EXPECT_FALSE(shaken);
    EXPECT_EQ(shaken.error().detail, "TLS: http request");
  }));
}

TEST_F(Tls, says_that_the_peer_closed_during_the_handshake) {
  serve();
  scene.there->release().reset();
  EXPECT_TRUE(scene.play([&]() -> base::Async<> {
    auto const shaken = co_await scene.here->handshake(*server->make());
    EXPECT_FALSE(shaken);
    EXPECT_EQ(shaken.error().detail, "TLS: the peer has closed the connection");
  }));
}

TEST_F(Tls, shows_the_new_certificate_after_a_reload_and_keeps_what_is_open) {
  serve({.subject = "old"});
  EXPECT_TRUE(connect().both());
  EXPECT_EQ(subject_there(), "old");
  authority.issue("server", {.subject = "new"});
  EXPECT_TRUE(server->reload());
  say("still here");
  EXPECT_TRUE(connect().both());
  EXPECT_EQ(subject_there(), "new");
}

TEST_F(Tls, keeps_the_old_certificate_when_a_reload_fails) {
  serve({.subject = "old"});
  std::ofstream{files.key} << "nothing of use";
  auto const reloaded = server->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().detail, StartsWith("TLS key " + files.key.string() + ": "));
  EXPECT_TRUE(connect().both());
  EXPECT_EQ(subject_there(), "old");
}

TEST_F(Tls, reloads_while_connections_are_made) {
  serve();
  std::atomic<bool> enough = false;
  std::thread reloader{[&] {
    while (!enough) EXPECT_TRUE(server->reload());
  }};
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(connect().both());
  enough = true;
  reloader.join();
}

std::string refusal(std::filesystem::path const& chain, std::filesystem::path const& key) {
  try {
    net::TlsServer const server{chain, key};
  } catch (std::exception const& error) {
    return error.what();
  }
  return "";
}

TEST_F(Tls, says_which_file_it_cannot_use) {
  auto const one = authority.issue("one");
  auto const other = authority.issue("other");
  auto const rsa = authority.issue("rsa", {.rsa = true});
  auto const missing = authority.folder() / "missing";
  EXPECT_EQ(refusal(one.chain, other.key),
            "TLS key " + other.key.string() + ": does not belong to the certificate " + one.chain.string());
  EXPECT_EQ(refusal(one.chain, rsa.key),
            "TLS key " + rsa.key.string() + ": does not belong to the certificate " + one.chain.string());
  EXPECT_EQ(refusal(missing, one.key), "TLS certificate " + missing.string() + ": No such file or directory");
  EXPECT_EQ(refusal(one.chain, missing), "TLS key " + missing.string() + ": No such file or directory");
  EXPECT_EQ(refusal(one.key, one.key), "TLS certificate " + one.key.string() + ": no start line");
  EXPECT_EQ(refusal(one.chain, one.chain), "TLS key " + one.chain.string() + ": holds no private key");
}

TEST_F(Tls, does_not_ask_for_a_passphrase) {
  auto const plain = authority.issue("plain");
  auto const locked = authority.folder() / "locked.key";
  auto* const in = BIO_new_file(plain.key.c_str(), "r");
  auto* const key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  auto* const out = BIO_new_file(locked.c_str(), "w");
  PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "pass", 4, nullptr, nullptr);
  BIO_free(in);
  BIO_free(out);
  EVP_PKEY_free(key);
  EXPECT_EQ(refusal(plain.chain, locked), "TLS key " + locked.string() + ": needs a passphrase; store it without one");
}

TEST_F(Tls, says_that_an_authority_cannot_be_read) {
  for (auto const& path : {authority.folder() / "missing", authority.issue("one").key}) {
    try {
      net::TlsClient const client{path};
      FAIL() << path;
    } catch (std::exception const& error) {
      EXPECT_THAT(error.what(), StartsWith("TLS authority " + path.string() + ": "));
    }
  }
}

}  // namespace
