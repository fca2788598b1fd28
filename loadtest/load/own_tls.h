#pragma once
#include <openssl/ssl.h>

#include <filesystem>
#include <memory>

namespace sim::load {

/// A key and a self-signed certificate for 127.0.0.1 and localhost, made when a run begins, and the TLS contexts of
/// both our roles. As a carrier we do not verify the gateway: gateways under test rarely have a public certificate.
class OwnTls {
 public:
  /// Writes certificate.pem and key.pem into `folder`. Throws std::runtime_error.
  explicit OwnTls(std::filesystem::path const& folder);

  SSL_CTX* client() const { return client_.get(); }
  SSL_CTX* server() const { return server_.get(); }
  std::filesystem::path const& certificate_file() const { return certificate_file_; }
  std::filesystem::path const& key_file() const { return key_file_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> client_;
  std::unique_ptr<SSL_CTX, Free> server_;
  std::filesystem::path certificate_file_;
  std::filesystem::path key_file_;
};

}  // namespace sim::load
