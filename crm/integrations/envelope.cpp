#include "crm/integrations/envelope.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "gateway/base/base64.h"

namespace crm {
namespace {

constexpr std::string_view version = "v1";
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t max_key_id = 64;

struct Freed {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Freed>;

std::uint8_t const* octets(std::string_view text) {
  return reinterpret_cast<std::uint8_t const*>(text.data());
}
std::uint8_t* octets(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

bool is_key_id(std::string_view id) {
  return !id.empty() && id.size() <= max_key_id && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// Each part behind its length, so that no two places have the same bytes.
std::string bound_to(std::string_view key_id, SecretPlace const& place) {
  std::string bytes;
  for (std::string_view const part :
       {version, key_id, std::string_view{place.tenant.text()}, std::string_view{place.table},
        std::string_view{place.row}, std::string_view{place.column}}) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(part.size() >> shift & 0xFFU);
    bytes += part;
  }
  return bytes;
}

struct Parts {
  std::string_view key_id;
  std::string_view nonce;
  std::string_view sealed;
};

std::optional<Parts> split(std::string_view envelope) {
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto const dot = i + 1 < fields.size() ? envelope.find('.') : envelope.size();
    if (dot == std::string_view::npos) return std::nullopt;
    fields[i] = envelope.substr(0, dot);
    envelope.remove_prefix(std::min(dot + 1, envelope.size()));
  }
  if (fields[0] != version || !is_key_id(fields[1])) return std::nullopt;
  return Parts{fields[1], fields[2], fields[3]};
}

}  // namespace

std::unexpected<base::Error> cannot_open() {
  return base::fail(base::Fault::refused, "the secret cannot be opened");
}

VaultKey new_vault_key(std::string id) {
  assert(is_key_id(id));
  std::array<std::uint8_t, vault_key_bytes> bytes{};
  base::fill_random(bytes);
  VaultKey key{std::move(id), base::Secret{std::string{reinterpret_cast<char const*>(bytes.data()), bytes.size()}}};
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

base::Result<std::string> seal(VaultKey const& key, SecretPlace const& place, base::Secret const& secret) {
  assert(is_key_id(key.id) && key.bytes.reveal().size() == vault_key_bytes);
  auto const plain = secret.reveal();
  if (plain.size() > max_secret_bytes) return base::fail(base::Fault::too_large, "the secret is too long");
  std::string nonce(nonce_bytes, '\0');
  base::fill_random(std::span{octets(nonce), nonce.size()});
  auto const place_bytes = bound_to(key.id, place);
  std::string sealed(plain.size() + tag_bytes, '\0');
  auto const tag = octets(sealed) + plain.size();
  Cipher const cipher{EVP_CIPHER_CTX_new()};
  int length = 0;
  bool const done =
      cipher &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, octets(key.bytes.reveal()), octets(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &length, octets(place_bytes), static_cast<int>(place_bytes.size())) ==
          1 &&
      EVP_EncryptUpdate(cipher.get(), octets(sealed), &length, octets(plain), static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), tag, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes), tag) == 1;
  if (!done) std::abort();  // out of memory, or a library without AES
  return std::string{version} + "." + key.id + "." + base::to_base64(nonce, base::Base64::url) + "." +
         base::to_base64(sealed, base::Base64::url);
}

std::optional<std::string> key_id_of(std::string_view envelope) {
  auto const parts = split(envelope);
  if (!parts) return std::nullopt;
  return std::string{parts->key_id};
}

base::Result<base::Secret> open(VaultKey const& key, SecretPlace const& place, std::string_view envelope) {
  assert(key.bytes.reveal().size() == vault_key_bytes);
  auto const parts = split(envelope);
  if (!parts || parts->key_id != key.id) return cannot_open();
  auto const nonce = base::from_base64(parts->nonce, base::Base64::url);
  auto sealed = base::from_base64(parts->sealed, base::Base64::url);
  bool const plausible = nonce && nonce->size() == nonce_bytes && sealed && sealed->size() >= tag_bytes &&
                         sealed->size() <= max_secret_bytes + tag_bytes;
  if (!plausible) return cannot_open();
  auto const size = sealed->size() - tag_bytes;
  auto const place_bytes = bound_to(key.id, place);
  std::string plain(size + tag_bytes, '\0');
  Cipher const cipher{EVP_CIPHER_CTX_new()};
  int length = 0;
  bool const opened =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, octets(key.bytes.reveal()), octets(*nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &length, octets(place_bytes), static_cast<int>(place_bytes.size())) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), octets(plain), &length, octets(*sealed), static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes), octets(*sealed) + size) ==
          1 &&
      EVP_DecryptFinal_ex(cipher.get(), octets(plain) + size, &length) == 1;
  // What was decrypted before the tag was found wrong is no secret of ours, but nobody's business either.
  if (!opened) OPENSSL_cleanse(plain.data(), plain.size());
  if (!opened) return cannot_open();
  plain.resize(size);
  return base::Secret{std::move(plain)};
}

}  // namespace crm
