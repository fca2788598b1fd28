#include "loadtest/load/own_tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>
#include <string>

namespace sim::load {
namespace {

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509, X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION, X509_EXTENSION_free>>;

void must(bool done, char const* what) {
  if (!done) throw std::runtime_error{std::string{"TLS: cannot "} + what};
}

void extend(X509& certificate, int kind, char const* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  Extension const extension{X509V3_EXT_conf_nid(nullptr, &context, kind, value)};
  must(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, "extend a certificate");
}

Certificate self_signed(EVP_PKEY& key) {
  constexpr long week = 7 * 24 * 3600;
  Certificate certificate{X509_new()};
  must(certificate != nullptr, "make a certificate");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), week);
  X509_set_pubkey(certificate.get(), &key);
  auto* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>("switchboard load test"),
                             -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  extend(*certificate, NID_basic_constraints, "critical,CA:TRUE");
  extend(*certificate, NID_subject_key_identifier, "hash");
  extend(*certificate, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  must(X509_sign(certificate.get(), &key, EVP_sha256()) > 0, "sign a certificate");
  return certificate;
}

template <class Write>
void write(std::filesystem::path const& file, Write const& write_to) {
  std::FILE* const out = std::fopen(file.c_str(), "w");
  must(out != nullptr, "write into the data folder");
  bool const written = write_to(out) == 1;
  must(std::fclose(out) == 0 && written, "write into the data folder");
}

}  // namespace

OwnTls::OwnTls(std::filesystem::path const& folder)
    : client_{SSL_CTX_new(TLS_client_method())},
      server_{SSL_CTX_new(TLS_server_method())},
      certificate_file_{folder / "certificate.pem"},
      key_file_{folder / "key.pem"} {
  must(client_ && server_, "make a context");
  Key const key{EVP_EC_gen("P-256")};
  must(key != nullptr, "make a key");
  auto const certificate = self_signed(*key);
  must(SSL_CTX_use_certificate(server_.get(), certificate.get()) == 1 &&
           SSL_CTX_use_PrivateKey(server_.get(), key.get()) == 1,
       "use a certificate");
  for (auto* const context : {client_.get(), server_.get()}) SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(client_.get(), SSL_VERIFY_NONE, nullptr);
  write(certificate_file_, [&](std::FILE* out) { return PEM_write_X509(out, certificate.get()); });
  write(key_file_,
        [&](std::FILE* out) { return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  std::filesystem::permissions(key_file_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace sim::load
