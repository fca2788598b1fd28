#include "gateway/twilio/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "gateway/base/base64.h"
#include "gateway/base/ids.h"
#include "gateway/twilio/signature_urls.h"

namespace gateway::twilio {
namespace {

constexpr std::size_t sha1_bytes = 20;
/// Far more than any form of Twilio's has. Beyond it a stranger's request is not worth the hashing of rare variants.
constexpr std::size_t max_fields_for_variants = 16 * 1024;
constexpr std::size_t header_chars = base::base64_size(sha1_bytes);
using Mac = std::array<std::uint8_t, sha1_bytes>;

using Field = std::pair<std::string_view, std::string_view>;

/// JavaScript, and so the official library, sorts by UTF-16 unit: there the characters U+E000..U+FFFF (first bytes EE,
/// EF) come after those beyond the basic plane (F0..F4). Other libraries sort by byte.
bool less_by_utf16(std::string_view a, std::string_view b) {
  auto const rank = [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : static_cast<int>(byte);
  };
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

std::string joined(std::vector<Field> const& fields) {
  std::string text;
  for (auto const& [name, value] : fields) {
    text += name;
    text += value;
  }
  return text;
}

/// What follows the URL in the signed string: usually one text, two when the order of names is a matter of opinion.
std::vector<std::string> signed_fields(net::Form const& form) {
  std::vector<Field> fields{form.begin(), form.end()};
  std::ranges::sort(fields);
  auto const repeated = std::ranges::unique(fields);
  fields.erase(repeated.begin(), repeated.end());
  std::vector<std::string> texts{joined(fields)};
  auto const has = [&](unsigned char low, unsigned char high) {
    return std::ranges::any_of(texts[0], [&](char c) {
      auto const byte = static_cast<unsigned char>(c);
      return byte >= low && byte <= high;
    });
  };
  if (has(0xEE, 0xEF) && has(0xF0, 0xF4)) {
    std::ranges::sort(fields, [](Field const& a, Field const& b) {
      return a.first == b.first ? less_by_utf16(a.second, b.second) : less_by_utf16(a.first, b.first);
    });
    if (auto text = joined(fields); text != texts[0]) texts.push_back(std::move(text));
  }
  return texts;
}

Mac mac(base::Secret const& token, std::string_view text) {
  Mac result{};
  unsigned length = 0;
  auto const key = token.reveal();
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), reinterpret_cast<std::uint8_t const*>(text.data()),
       text.size(), result.data(), &length);
  return result;
}

bool matches(std::span<base::Secret const> tokens, std::vector<SignedUrl> const& urls, net::Form const& form,
             std::string_view header) {
  if (header.size() != header_chars) return false;
  std::array<std::uint8_t, base::base64_decoded_bound(header_chars)> claimed{};
  auto const decoded = base::decode_base64(header, claimed);
  if (!decoded || *decoded != sha1_bytes) return false;

  auto const body_fields = signed_fields(form);
  bool found = false;
  std::string text;
  for (auto const& candidate : urls) {
    auto const tails = candidate.query_as_fields.empty() ? body_fields : signed_fields(candidate.query_as_fields);
    for (auto const& tail : tails) {
      if (candidate.reencoded && tail.size() > max_fields_for_variants) continue;
      text.assign(candidate.url).append(tail);
      for (auto const& token : tokens) {
        if (token.empty()) continue;
        auto const expected = mac(token, text);
        found |= CRYPTO_memcmp(expected.data(), claimed.data(), sha1_bytes) == 0;
      }
      if (found) return true;
    }
  }
  return false;
}

/// The value of the first bodySHA256 in the query, as text.
std::string_view body_hash_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  auto const mark = url.find('?');
  auto query = mark == url.npos ? std::string_view{} : url.substr(mark + 1);
  while (!query.empty()) {
    auto const item = query.substr(0, query.find('&'));
    if (item.starts_with("bodySHA256=")) return item.substr(std::string_view{"bodySHA256="}.size());
    query.remove_prefix(std::min(item.size() + 1, query.size()));
  }
  return {};
}

bool is_body_hash(std::string_view claimed, std::string_view body) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<std::uint8_t const*>(body.data()), body.size(), digest.data());
  auto const expected = base::to_hex(digest);
  return claimed.size() == expected.size() && CRYPTO_memcmp(claimed.data(), expected.data(), expected.size()) == 0;
}

}  // namespace

std::string sign(base::Secret const& token, std::string_view url, net::Form const& form) {
  auto const result = mac(token, std::string{url} + signed_fields(form).front());
  std::string header;
  base::append_base64(header, result);
  return header;
}

bool accepts_form(std::span<base::Secret const> tokens, std::string_view url, net::Form const& form,
                  std::string_view header) {
  return matches(tokens, request_urls(url), form, header);
}

bool accepts_json(std::span<base::Secret const> tokens, std::string_view url, std::string_view body,
                  std::string_view header) {
  // The hash first: it needs no secret, and a body that does not belong to the URL is refused for one pass over it.
  return is_body_hash(body_hash_of(url), body) && matches(tokens, request_urls(url), {}, header);
}

bool accepts_upgrade(std::span<base::Secret const> tokens, std::string_view url, std::string_view header) {
  return matches(tokens, upgrade_urls(url), {}, header);
}

SignatureVerifier::SignatureVerifier(net::Url const& public_base) {
  auto base = public_base;
  base.userinfo.clear();
  base.query.clear();
  while (base.path.ends_with('/')) base.path.pop_back();
  bool const secure = base.is_secure();
  http_base_ = to_string(base.with_scheme(secure ? "https" : "http"));
  socket_bases_.push_back(to_string(base.with_scheme("wss")));
  // Twilio opens wss only; simulators behind an http base open ws.
  if (!secure) socket_bases_.push_back(to_string(base.with_scheme("ws")));
}

bool SignatureVerifier::verify_form(std::span<base::Secret const> tokens, std::string_view target,
                                    net::Form const& form, std::string_view header) const {
  return target.starts_with('/') && accepts_form(tokens, http_base_ + std::string{target}, form, header);
}

bool SignatureVerifier::verify_json(std::span<base::Secret const> tokens, std::string_view target,
                                    std::string_view body, std::string_view header) const {
  return target.starts_with('/') && accepts_json(tokens, http_base_ + std::string{target}, body, header);
}

bool SignatureVerifier::verify_websocket(std::span<base::Secret const> tokens, std::string_view target,
                                         std::string_view header) const {
  if (!target.starts_with('/')) return false;
  return std::ranges::any_of(socket_bases_, [&](std::string const& base) {
    return accepts_upgrade(tokens, base + std::string{target}, header);
  });
}

}  // namespace gateway::twilio
