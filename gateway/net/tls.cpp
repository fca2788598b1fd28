#include "gateway/net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cstring>
#include <ctime>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include "gateway/net/handshake_thread.h"
#include "gateway/net/stream.h"

namespace net {
namespace {

using ContextPtr = std::shared_ptr<SSL_CTX>;

/// As OpenSSL's own socket BIO, which uses write(2) and so can raise SIGPIPE.
int send_quietly(BIO* bio, char const* bytes, int size) {
  int socket = -1;
  BIO_get_fd(bio, &socket);
  errno = 0;
  auto const sent = static_cast<int>(::send(socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL));
  BIO_clear_retry_flags(bio);
  if (sent <= 0 && BIO_sock_should_retry(sent) != 0) BIO_set_retry_write(bio);
  return sent;
}

BIO_METHOD const* quiet_socket() {
  static BIO_METHOD const* const method = [] {
    auto const* const ordinary = BIO_s_socket();
    auto* const made = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
    if (made == nullptr) throw std::bad_alloc{};
    BIO_meth_set_create(made, BIO_meth_get_create(ordinary));
    BIO_meth_set_destroy(made, BIO_meth_get_destroy(ordinary));
    BIO_meth_set_ctrl(made, BIO_meth_get_ctrl(ordinary));
    BIO_meth_set_read(made, BIO_meth_get_read(ordinary));
    BIO_meth_set_puts(made, BIO_meth_get_puts(ordinary));
    BIO_meth_set_write(made, send_quietly);
    return made;
  }();
  return method;
}

/// What both roles agree on.
ContextPtr new_context(SSL_METHOD const* method) {
  ContextPtr context{SSL_CTX_new(method), SSL_CTX_free};
  if (!context) throw std::bad_alloc{};
  auto* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  // TLS 1.3 has nothing else. The groups leave out finite fields, which a hostile client could choose to make us
  // compute for milliseconds.
  if (SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
      SSL_CTX_set1_groups_list(raw, "X25519:P-256:P-384") != 1)
    throw std::runtime_error{"OpenSSL lacks the ciphers of TLS 1.2 and 1.3: " + tls_reason()};
  // What travels here carries its own length (HTTP, WebSocket), so a peer that just closes cannot cut anything short.
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Buffers of a quiet connection go back to the heap: 34 KiB each.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One read a record instead of two, and one for many that have come together.
  SSL_CTX_set_read_ahead(raw, 1);
  return context;
}

int choose_http(SSL*, unsigned char const** chosen, unsigned char* chosen_size, unsigned char const* offered,
                unsigned offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, ours, sizeof ours - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

/// Nobody sits at our terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::unique_ptr<EVP_PKEY, KeyFree> read_key(std::filesystem::path const& path) {
  std::unique_ptr<BIO, BioFree> const file{BIO_new_file(path.c_str(), "r")};
  bool is_encrypted = false;
  std::unique_ptr<EVP_PKEY, KeyFree> key;
  if (file) key.reset(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, &is_encrypted));
  if (key) return key;
  auto const name = "TLS key " + path.string() + ": ";
  if (!file) throw std::runtime_error{name + tls_reason()};
  ERR_clear_error();
  throw std::runtime_error{name + (is_encrypted ? "needs a passphrase; store it without one" : "holds no private key")};
}

ContextPtr load(std::filesystem::path const& chain, std::filesystem::path const& key_file) {
  ERR_clear_error();
  auto context = new_context(TLS_server_method());
  auto* const raw = context.get();
  if (SSL_CTX_use_certificate_chain_file(raw, chain.c_str()) != 1)
    throw std::runtime_error{"TLS certificate " + chain.string() + ": " + tls_reason()};
  auto const key = read_key(key_file);
  if (X509_check_private_key(SSL_CTX_get0_certificate(raw), key.get()) != 1) {
    ERR_clear_error();
    throw std::runtime_error{"TLS key " + key_file.string() + ": does not belong to the certificate " + chain.string()};
  }
  if (SSL_CTX_use_PrivateKey(raw, key.get()) != 1)
    throw std::runtime_error{"TLS key " + key_file.string() + ": " + tls_reason()};
  SSL_CTX_set_alpn_select_cb(raw, choose_http, nullptr);
  // A returning client proves itself by a ticket, which costs no signature; we keep nothing for it.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 1);
  return context;
}

}  // namespace

void attach(SSL& tls, int socket) {
  auto* const bio = BIO_new(quiet_socket());
  if (bio == nullptr) throw std::bad_alloc{};
  BIO_set_fd(bio, socket, BIO_NOCLOSE);
  SSL_set_bio(&tls, bio, bio);
}

std::string tls_reason(SSL const* tls) {
  auto const code = ERR_peek_error();  // the root; what follows it says only who was let down
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  auto const* const known = ERR_reason_error_string(code);
  std::string reason = known != nullptr ? known : "error " + std::to_string(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && tls != nullptr)
    reason += std::string{": "} + X509_verify_cert_error_string(SSL_get_verify_result(tls));
  return reason;
}

TlsClient::TlsClient(std::filesystem::path const& extra_authority) : thread_{std::make_unique<HandshakeThread>()} {
  ERR_clear_error();
  auto const context = new_context(TLS_client_method());
  // A system without a trust store trusts nobody; that is said at the first connection.
  SSL_CTX_set_default_verify_paths(context.get());
  ERR_clear_error();
  if (!extra_authority.empty() && SSL_CTX_load_verify_file(context.get(), extra_authority.c_str()) != 1)
    throw std::runtime_error{"TLS authority " + extra_authority.string() + ": " + tls_reason()};
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  context_ = context.get();
  SSL_CTX_up_ref(context_);
}

TlsClient::~TlsClient() {
  SSL_CTX_free(context_);
}

base::Result<SslPtr> TlsClient::make(std::string const& host) const {
  ERR_clear_error();
  SslPtr tls{SSL_new(context_)};
  if (!tls) return base::fail(base::Fault::unavailable, "TLS: " + tls_reason());
  SSL_set_connect_state(tls.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls.get()), host.c_str()) == 1) return tls;
  ERR_clear_error();
  SSL_set_hostflags(tls.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (host.empty() || host.contains('\0') || SSL_set1_host(tls.get(), host.c_str()) != 1 ||
      SSL_set_tlsext_host_name(tls.get(), host.c_str()) != 1) {
    ERR_clear_error();
    return base::fail(base::Fault::unavailable, "TLS: not a name that a certificate could hold");
  }
  return tls;
}

base::Async<base::Result<>> TlsClient::secure(Stream& stream, std::string host) const {
  auto state = make(host);
  if (!state) co_return std::unexpected{state.error()};
  auto done = co_await stream.handshake(std::move(*state), thread_.get());
  co_return done;
}

struct TlsServer::Parts {
  ContextPtr current() {
    std::scoped_lock const lock{mutex};
    return context;
  }

  std::filesystem::path chain;
  std::filesystem::path key;
  std::mutex mutex;  // guards context
  ContextPtr context;
  HandshakeThread thread;
};

TlsServer::TlsServer(std::filesystem::path chain, std::filesystem::path key) : parts_{std::make_unique<Parts>()} {
  parts_->context = load(chain, key);
  parts_->chain = std::move(chain);
  parts_->key = std::move(key);
}

TlsServer::~TlsServer() = default;

base::Result<SslPtr> TlsServer::make() const {
  auto const context = parts_->current();
  ERR_clear_error();
  SslPtr tls{SSL_new(context.get())};
  if (!tls) return base::fail(base::Fault::unavailable, "TLS: " + tls_reason());
  SSL_set_accept_state(tls.get());
  return tls;
}

base::Async<base::Result<>> TlsServer::secure(Stream& stream) const {
  auto state = make();
  if (!state) co_return std::unexpected{state.error()};
  auto done = co_await stream.handshake(std::move(*state), &parts_->thread);
  co_return done;
}

std::chrono::system_clock::time_point TlsServer::expires() const {
  auto const context = parts_->current();
  std::tm utc{};
  ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context.get())), &utc);
  return std::chrono::system_clock::from_time_t(::timegm(&utc));
}

bool TlsServer::is_for(std::string const& host) const {
  auto const context = parts_->current();
  auto* const certificate = SSL_CTX_get0_certificate(context.get());
  bool const is_named = X509_check_ip_asc(certificate, host.c_str(), 0) == 1 ||
                        X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
  ERR_clear_error();
  return is_named;
}

base::Result<> TlsServer::reload() {
  try {
    auto fresh = load(parts_->chain, parts_->key);
    std::scoped_lock const lock{parts_->mutex};
    parts_->context.swap(fresh);
  } catch (std::exception const& error) {
    return base::fail(base::Fault::unavailable, error.what());
  }
  return {};
}

}  // namespace net
