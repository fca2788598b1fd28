#include "gateway/twilio/ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "gateway/base/base64.h"

namespace gateway::twilio {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;
using Mac = std::array<std::uint8_t, 32>;

constexpr std::size_t max_ticket_chars = 500;
constexpr std::size_t min_key_bytes = 16;
/// How far the clocks of two nodes may differ.
constexpr auto clock_tolerance = seconds{5};

Mac mac(base::Secret const& key, std::string_view text) {
  Mac result{};
  unsigned length = 0;
  auto const bytes = key.reveal();
  HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()), reinterpret_cast<std::uint8_t const*>(text.data()),
       text.size(), result.data(), &length);
  return result;
}

struct Parts {
  std::string_view version, kid, payload, proof;
  std::string_view signed_text;  ///< All before the proof and its dot.
};

/// The four parts between dots; nothing for another number of them or an absurd length.
std::optional<Parts> split(std::string_view ticket) {
  if (ticket.size() > max_ticket_chars || std::ranges::count(ticket, '.') != 3) return std::nullopt;
  auto const last = ticket.rfind('.');
  Parts parts{.proof = ticket.substr(last + 1), .signed_text = ticket.substr(0, last)};
  auto const first = parts.signed_text.find('.');
  auto const second = parts.signed_text.find('.', first + 1);
  parts.version = parts.signed_text.substr(0, first);
  parts.kid = parts.signed_text.substr(first + 1, second - first - 1);
  parts.payload = parts.signed_text.substr(second + 1);
  return parts;
}

std::string random_nonce() {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  return base::to_base64(bytes, base::Base64::url);
}

/// Only ever called on a payload that our own key has signed; still tolerates any text.
std::optional<TicketClaims> claims_in(std::string_view payload) {
  auto const bytes = base::from_base64(payload, base::Base64::url);
  if (!bytes) return std::nullopt;
  auto const json = Json::parse(*bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.size() != 5 || !json[4].is_number_integer()) return std::nullopt;
  for (std::size_t i = 0; i < 4; ++i) {
    if (!json[i].is_string()) return std::nullopt;
  }
  auto const text = [&](std::size_t i) { return json[i].get<std::string>(); };
  return TicketClaims{.tenant = base::TenantId{text(0)},
                      .call_sid = base::CallSid{text(1)},
                      .node = text(2),
                      .nonce = text(3),
                      .expires = base::TimeSource::Wall{seconds{json[4].get<std::int64_t>()}}};
}

}  // namespace

TicketOffice::TicketOffice(base::Secret key, std::vector<base::Secret> retired) {
  retired.insert(retired.begin(), std::move(key));
  for (auto& secret : retired) {
    if (secret.reveal().size() < min_key_bytes)
      throw std::invalid_argument("the key for stream tickets is under 16 bytes");
    auto const fingerprint = mac(secret, "switchboard stream ticket key id");
    keys_.push_back({base::to_hex(std::span{fingerprint}.first(4)), std::move(secret)});
  }
}

std::string TicketOffice::issue(TicketClaims claims, base::TimeSource::Wall now) const {
  auto const latest = now + ticket_lifetime;
  bool const unset = claims.expires == base::TimeSource::Wall{};
  auto const expires = unset ? latest : std::min(claims.expires, latest);
  if (claims.nonce.empty()) claims.nonce = random_nonce();
  auto const whole_seconds = std::chrono::floor<seconds>(expires).time_since_epoch().count();
  auto const json =
      Json::array({claims.tenant.text(), claims.call_sid.text(), claims.node, claims.nonce, whole_seconds});
  auto const payload = json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  auto ticket = "v1." + keys_.front().kid + "." + base::to_base64(payload, base::Base64::url);
  auto const proof = mac(keys_.front().secret, ticket);
  return ticket + "." + base::to_base64(proof, base::Base64::url);
}

base::Result<TicketClaims> TicketOffice::verify(std::string_view ticket, base::TimeSource::Wall now) const {
  auto const refused = [] { return base::fail(base::Fault::refused, "stream ticket is not ours"); };
  auto const parts = split(ticket);
  if (!parts || parts->version != "v1") return refused();
  auto const key = std::ranges::find(keys_, parts->kid, &Key::kid);
  if (key == keys_.end()) return refused();

  // Compared as text: base64 has one text for a value, so nothing unproven needs to be decoded.
  auto const expected = base::to_base64(mac(key->secret, parts->signed_text), base::Base64::url);
  auto const& proof = parts->proof;
  if (proof.size() != expected.size() || CRYPTO_memcmp(proof.data(), expected.data(), expected.size()) != 0)
    return refused();

  auto claims = claims_in(parts->payload);
  if (!claims || claims->expires > now + ticket_lifetime + clock_tolerance) return refused();
  if (now >= claims->expires) return base::fail(base::Fault::timed_out, "stream ticket has expired");
  return std::move(*claims);
}

}  // namespace gateway::twilio
