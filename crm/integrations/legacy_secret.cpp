#include "crm/integrations/legacy_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "crm/integrations/envelope.h"

namespace crm {
namespace {

constexpr std::size_t block_bytes = 16;
constexpr std::string_view salt = "salt";

struct Freed {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

std::uint8_t const* octets(std::string_view text) {
  return reinterpret_cast<std::uint8_t const*>(text.data());
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    auto const high = hex_value(text[i]);
    auto const low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

struct Parts {
  std::string iv;
  std::string sealed;
};

std::optional<Parts> split(std::string_view text) {
  auto const colon = text.find(':');
  if (colon != 2 * block_bytes) return std::nullopt;
  auto iv = from_hex(text.substr(0, colon));
  auto sealed = from_hex(text.substr(colon + 1));
  bool const plausible =
      iv && sealed && !sealed->empty() && sealed->size() % block_bytes == 0 && sealed->size() <= max_secret_bytes;
  if (!plausible) return std::nullopt;
  return Parts{std::move(*iv), std::move(*sealed)};
}

}  // namespace

LegacyKey::LegacyKey(base::Secret const& passphrase) {
  constexpr std::uint64_t cost = 16384, block_size = 8, lanes = 1, most_memory = 64ULL << 20U;
  std::array<std::uint8_t, vault_key_bytes> key{};
  auto const text = passphrase.reveal();
  if (EVP_PBE_scrypt(text.data(), text.size(), octets(salt), salt.size(), cost, block_size, lanes, most_memory,
                     key.data(), key.size()) != 1)
    std::abort();  // out of memory
  bytes_ = base::Secret{std::string{reinterpret_cast<char const*>(key.data()), key.size()}};
  OPENSSL_cleanse(key.data(), key.size());
}

base::Result<base::Secret> LegacyKey::open(std::string_view text) const {
  auto const parts = split(text);
  if (!parts) return cannot_open();
  std::string plain(parts->sealed.size() + block_bytes, '\0');
  auto* const out = reinterpret_cast<std::uint8_t*>(plain.data());
  std::unique_ptr<EVP_CIPHER_CTX, Freed> const cipher{EVP_CIPHER_CTX_new()};
  int size = 0, last = 0;
  bool const opened =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_cbc(), nullptr, octets(bytes_.reveal()), octets(parts->iv)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), out, &size, octets(parts->sealed), static_cast<int>(parts->sealed.size())) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), out + size, &last) == 1;
  if (!opened) OPENSSL_cleanse(plain.data(), plain.size());
  if (!opened) return cannot_open();
  plain.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(last));
  return base::Secret{std::move(plain)};
}

bool is_legacy_secret(std::string_view text) {
  return split(text).has_value();
}

}  // namespace crm
