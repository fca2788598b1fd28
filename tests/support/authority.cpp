#include "tests/support/authority.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <stdexcept>

namespace test {
namespace {

void must(bool done, char const* what) {
  if (!done) throw std::runtime_error{std::string{"test authority: "} + what};
}

std::filesystem::path fresh_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "authority-XXXXXX").string();
  must(::mkdtemp(pattern.data()) != nullptr, "no folder");
  return pattern;
}

void add_extension(X509* to, X509* issuer, int kind, std::string const& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  must(extension != nullptr, "extension not understood");
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* unsigned_certificate(std::string const& subject, EVP_PKEY* key, long begins, long ends) {
  static long serial = 0;
  auto* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate), ends);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<unsigned char const*>(subject.c_str()), -1, -1, 0);
  return certificate;
}

template <class Write>
void write_file(std::filesystem::path const& path, Write write) {
  // Written beside and renamed, as a careful operator would: a reload never meets half a file.
  auto const fresh = path.string() + ".new";
  auto* const file = std::fopen(fresh.c_str(), "w");
  must(file != nullptr, "cannot write");
  write(file);
  std::fclose(file);
  std::filesystem::rename(fresh, path);
}

}  // namespace

Authority::Authority()
    : folder_{fresh_folder()},
      key_{EVP_EC_gen("P-256"), EVP_PKEY_free},
      certificate_{unsigned_certificate("Test authority", key_.get(), -3600, 24 * 3600), X509_free} {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign");
  add_extension(certificate_.get(), certificate_.get(), NID_subject_key_identifier, "hash");
  must(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "not signed");
  write_file(file(), [this](std::FILE* out) { PEM_write_X509(out, certificate_.get()); });
}

Authority::~Authority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Authority::Files Authority::issue(std::string const& name, CertificateWish const& wish) const {
  Owned<EVP_PKEY> const key{wish.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), EVP_PKEY_free};
  Owned<X509> const certificate{unsigned_certificate(wish.subject, key.get(), static_cast<long>(wish.begins.count()),
                                                     static_cast<long>(wish.ends.count())),
                                X509_free};
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate.get(), certificate_.get(), NID_subject_alt_name, wish.names);
  add_extension(certificate.get(), certificate_.get(), NID_authority_key_identifier, "keyid");
  must(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0, "not signed");
  Files const files{folder_ / (name + ".pem"), folder_ / (name + ".key")};
  write_file(files.chain, [&](std::FILE* out) { PEM_write_X509(out, certificate.get()); });
  write_file(files.key,
             [&](std::FILE* out) { PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return files;
}

}  // namespace test
