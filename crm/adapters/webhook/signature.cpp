#include "crm/adapters/webhook/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "gateway/base/base64.h"
#include "gateway/base/ids.h"

namespace crm::webhook {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::string_view scheme = "v1,";
constexpr std::size_t least_key_bytes = 24;
constexpr std::size_t most_key_bytes = 64;

std::string signature_by(base::Secret const& key, std::string_view id, std::string_view timestamp,
                         std::string_view body) {
  std::string text;
  text.reserve(id.size() + timestamp.size() + body.size() + 2);
  text.append(id).append(".").append(timestamp).append(".").append(body);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  auto const bytes = key.reveal();
  HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()), reinterpret_cast<std::uint8_t const*>(text.data()),
       text.size(), mac.data(), &length);
  return std::string{scheme} + base::to_base64({mac.data(), length});
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

bool is_near(std::int64_t when, std::int64_t now) {
  return when >= now - tolerance.count() && when <= now + tolerance.count();
}

bool lists(std::string_view header, std::string_view expected) {
  bool found = false;
  while (!header.empty()) {
    auto const one = header.substr(0, header.find(' '));
    found |= one.size() == expected.size() && CRYPTO_memcmp(one.data(), expected.data(), expected.size()) == 0;
    header.remove_prefix(std::min(one.size() + 1, header.size()));
  }
  return found;
}

}  // namespace

base::Result<base::Secret> read_signing_secret(base::Secret const& text) {
  auto digits = text.reveal();
  auto const wrong = base::fail(base::Fault::refused, "a signing secret is whsec_ and base64 of 24 to 64 bytes");
  if (!digits.starts_with(secret_prefix)) return wrong;
  digits.remove_prefix(secret_prefix.size());
  auto bytes = base::from_base64(digits);
  if (!bytes) return wrong;
  base::Secret key{std::move(*bytes)};
  bool const fits = key.reveal().size() >= least_key_bytes && key.reveal().size() <= most_key_bytes;
  if (!fits) return wrong;
  return key;
}

base::Secret new_signing_secret() {
  std::array<std::uint8_t, 32> bytes{};
  base::fill_random(bytes);
  auto text = std::string{secret_prefix} + base::to_base64(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return base::Secret{std::move(text)};
}

std::string sign(std::span<base::Secret const> keys, std::string_view id, std::int64_t timestamp,
                 std::string_view body) {
  auto const digits = std::to_string(timestamp);
  std::string header;
  for (auto const& key : keys) {
    if (!header.empty()) header += ' ';
    header += signature_by(key, id, digits, body);
  }
  return header;
}

std::string sign(base::Secret const& key, std::string_view id, std::int64_t timestamp, std::string_view body) {
  return sign(std::span{&key, 1}, id, timestamp, body);
}

bool verify(std::span<base::Secret const> keys, SignedHeaders const& headers, std::string_view body, std::int64_t now) {
  auto const when = whole(headers.timestamp);
  // With a dot in the id, two different requests could be signed by the same text.
  bool const plausible = when && is_near(*when, now) && !headers.id.empty() && !headers.id.contains('.');
  if (!plausible) return false;
  bool found = false;
  for (auto const& key : keys) {
    if (key.empty()) continue;
    found |= lists(headers.signature, signature_by(key, headers.id, headers.timestamp, body));
  }
  return found;
}

}  // namespace crm::webhook
