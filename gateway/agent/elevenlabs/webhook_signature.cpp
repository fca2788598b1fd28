#include "gateway/agent/elevenlabs/webhook_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <expected>
#include <vector>

#include "gateway/base/ids.h"

namespace gateway::elevenlabs {
namespace {

/// More than a rotation of secrets needs; a stranger's header may not buy more comparisons.
constexpr std::size_t max_signatures = 8;

struct Claim {
  std::string_view time_text;
  std::int64_t time = 0;
  std::vector<std::string_view> signatures;
};

bool read_time(std::string_view text, std::int64_t& into) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size() && into >= 0;
}

std::expected<Claim, SignatureVerdict> read_claim(std::string_view header) {
  if (header.empty()) return std::unexpected{SignatureVerdict::missing};
  Claim claim;
  int times = 0;
  while (!header.empty()) {
    auto element = header.substr(0, header.find(','));
    header.remove_prefix(std::min(element.size() + 1, header.size()));
    while (element.starts_with(' ')) element.remove_prefix(1);
    if (element.starts_with("t=")) {
      claim.time_text = element.substr(2);
      times += 1;
    } else if (element.starts_with("v0=")) {
      claim.signatures.push_back(element.substr(3));
    }
  }
  bool const whole = times == 1 && read_time(claim.time_text, claim.time) && !claim.signatures.empty() &&
                     claim.signatures.size() <= max_signatures;
  if (!whole) return std::unexpected{SignatureVerdict::malformed};
  return claim;
}

bool is_timely(std::int64_t when, std::int64_t now) {
  return when >= now - webhook_max_age.count() && when <= now + webhook_max_lead.count();
}

std::string digest(base::Secret const& secret, std::string_view time_text, std::string_view body) {
  std::string text;
  text.reserve(time_text.size() + 1 + body.size());
  text.append(time_text).append(".").append(body);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  auto const key = secret.reveal();
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<std::uint8_t const*>(text.data()),
       text.size(), mac.data(), &length);
  return base::to_hex(std::span{mac}.first(length));
}

}  // namespace

std::string_view to_string(SignatureVerdict verdict) {
  switch (verdict) {
    case SignatureVerdict::good:
      return "good";
    case SignatureVerdict::missing:
      return "missing_header";
    case SignatureVerdict::malformed:
      return "malformed_header";
    case SignatureVerdict::stale:
      return "stale";
    case SignatureVerdict::mismatch:
      return "signature_mismatch";
  }
  return "unknown";
}

SignatureVerdict glance_at_signature(std::string_view header, std::int64_t now) {
  auto const claim = read_claim(header);
  if (!claim) return claim.error();
  return is_timely(claim->time, now) ? SignatureVerdict::good : SignatureVerdict::stale;
}

SignatureVerdict check_signature(base::Secret const& secret, std::string_view header, std::string_view body,
                                 std::int64_t now) {
  auto const claim = read_claim(header);
  if (!claim) return claim.error();
  if (!is_timely(claim->time, now)) return SignatureVerdict::stale;
  if (secret.empty()) return SignatureVerdict::mismatch;
  auto const expected = digest(secret, claim->time_text, body);
  bool found = false;
  for (auto const signature : claim->signatures)
    found |=
        signature.size() == expected.size() && CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
  return found ? SignatureVerdict::good : SignatureVerdict::mismatch;
}

std::string sign_webhook(base::Secret const& secret, std::string_view body, std::int64_t when) {
  auto const time_text = std::to_string(when);
  return "t=" + time_text + ",v0=" + digest(secret, time_text, body);
}

}  // namespace gateway::elevenlabs
