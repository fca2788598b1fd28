#pragma once
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace test {

/// A certificate to be made.
struct CertificateWish {
  std::string names = "DNS:localhost,IP:127.0.0.1";  ///< As OpenSSL writes a subjectAltName.
  std::string subject = "localhost";
  std::chrono::seconds begins{-60};  ///< From now.
  std::chrono::seconds ends{3600};
  bool rsa = false;  ///< Else P-256.
};

/// A certificate authority that exists for one test, in a folder of its own that goes with it.
class Authority {
 public:
  Authority();
  ~Authority();
  Authority(Authority const&) = delete;
  Authority& operator=(Authority const&) = delete;

  struct Files {
    std::filesystem::path chain;
    std::filesystem::path key;
  };

  /// PEM, to be trusted.
  std::filesystem::path file() const { return folder_ / "authority.pem"; }
  /// Writes `name`.pem and `name`.key, over older ones of that name.
  Files issue(std::string const& name, CertificateWish const& wish = {}) const;
  std::filesystem::path const& folder() const { return folder_; }

 private:
  template <class T>
  using Owned = std::unique_ptr<T, void (*)(T*)>;
  std::filesystem::path folder_;
  Owned<EVP_PKEY> key_;
  Owned<X509> certificate_;
};

}  // namespace test
