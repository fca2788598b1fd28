#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "gateway/base/async.h"
#include "gateway/base/result.h"
#include "gateway/net/raw_stream.h"

namespace net {

class Stream;
class HandshakeThread;

/// Lets `tls` read and write `socket` itself, without a memory buffer in between and without ever raising SIGPIPE.
/// TLS reads ahead: whoever is woken by the socket reads until SSL_read says WANT_READ, for what is left may already
/// lie inside TLS, where no event loop sees it.
void attach(SSL& tls, int socket);

/// Why this thread's OpenSSL calls have failed, in OpenSSL's words, e.g. "certificate verify failed"; forgets it. `tls`
/// adds what it found wrong with the peer's certificate.
std::string tls_reason(SSL const* tls = nullptr);

/// Holds the trust store for outgoing TLS 1.2 and 1.3. Verification of chain and name is always on. Thread safe.
class TlsClient {
 public:
  /// The system's trust store; `extra_authority`, when not empty, is a PEM file trusted beside it (tests, private CAs).
  /// Throws a sentence when that cannot be read.
  explicit TlsClient(std::filesystem::path const& extra_authority = {});
  ~TlsClient();
  TlsClient(TlsClient const&) = delete;
  TlsClient& operator=(TlsClient const&) = delete;

  /// State for one connection to `host` (name or address: SNI and the certificate's name are checked against it).
  base::Result<SslPtr> make(std::string const& host) const;
  /// The handshake of a connection that we have opened to `host`; its arithmetic runs on a thread of ours.
  base::Async<base::Result<>> secure(Stream& stream, std::string host) const;

 private:
  SSL_CTX* context_;
  std::unique_ptr<HandshakeThread> thread_;
};

/// A certificate and key of ours: TLS 1.2 with ECDHE and AEAD, and 1.3. Thread safe; reload() may come while
/// connections are made.
class TlsServer {
 public:
  /// PEM files; the chain file begins with our own certificate. Throws a sentence that names the file.
  TlsServer(std::filesystem::path chain, std::filesystem::path key);
  ~TlsServer();
  TlsServer(TlsServer const&) = delete;
  TlsServer& operator=(TlsServer const&) = delete;

  /// State for one connection.
  base::Result<SslPtr> make() const;
  /// The handshake of a connection that a client has opened; its arithmetic runs on a thread of ours.
  base::Async<base::Result<>> secure(Stream& stream) const;
  /// When the certificate ends.
  std::chrono::system_clock::time_point expires() const;
  /// Whether it is for this name or address.
  bool is_for(std::string const& host) const;
  /// Reads both files again. On failure the old certificate stays in use.
  base::Result<> reload();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace net
