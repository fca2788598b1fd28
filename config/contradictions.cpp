#include "config/contradictions.h"

#include <fmt/format.h>

#include "config/encryption_key.h"
#include "config/value.h"

namespace config {
namespace {

constexpr std::chrono::milliseconds frame{20};

bool is_every_address(std::string_view address) {
  return address == "0.0.0.0" || address == "::";
}

bool listeners_collide(Settings const& s) {
  bool const overlap =
      s.http.address == s.ops.address || is_every_address(s.http.address) || is_every_address(s.ops.address);
  return s.http.port != 0 && s.http.port == s.ops.port && overlap;
}

bool chatwoot_is_half_set(Chatwoot const& chatwoot) {
  int const given = !chatwoot.base_url.empty() + !chatwoot.account_id.empty() + !chatwoot.api_key.empty();
  return given != 0 && given != 3;
}

bool current_key_is_listed_as_previous(Vault const& vault) {
  auto const current = decode_encryption_key(vault.integration_encryption_key.reveal());
  auto const previous = decode_encryption_keys(vault.integration_encryption_key_previous.reveal());
  if (!current || !previous) return false;
  for (auto const& key : *previous)
    if (key.reveal() == current->reveal()) return true;
  return false;
}

}  // namespace

std::vector<Finding> contradictions(Settings const& s) {
  std::vector<Finding> found;
  if (listeners_collide(s)) {
    found.push_back(
        {"SWITCHBOARD_OPS_PORT", fmt::format("is {}, as PORT is", s.ops.port), "give each listener its own port"});
  }
  if (s.http.tls_cert.empty() != s.http.tls_key.empty()) {
    bool const has_key = s.http.tls_cert.empty();
    auto const* const given = has_key ? "SWITCHBOARD_TLS_KEY" : "SWITCHBOARD_TLS_CERT";
    auto const* const missing = has_key ? "SWITCHBOARD_TLS_CERT" : "SWITCHBOARD_TLS_KEY";
    found.push_back({given, fmt::format("is set without {}", missing), "set both, or none"});
  } else if (!s.http.tls_cert.empty() && s.http.public_base_url.starts_with("http://")) {
    found.push_back({"PUBLIC_BASE_URL", "is http://, but with SWITCHBOARD_TLS_CERT the listener speaks https",
                     "write it with https://"});
  }
  auto const message = s.media.message_frames * frame;
  if (message > s.media.playout_lead) {
    found.push_back({"SWITCHBOARD_MESSAGE_FRAMES",
                     fmt::format("{} frames are {}, more than SWITCHBOARD_PLAYOUT_LEAD ({})", s.media.message_frames,
                                 write_duration(message), write_duration(s.media.playout_lead)),
                     "send fewer frames in a message, or keep a larger lead"});
  }
  if (s.limits.max_calls > s.limits.max_sockets) {
    found.push_back({"SWITCHBOARD_MAX_CALLS",
                     fmt::format("{} calls need as many sockets, SWITCHBOARD_MAX_SOCKETS allows {}", s.limits.max_calls,
                                 s.limits.max_sockets),
                     "allow fewer calls, or more sockets"});
  }
  if (s.media.dead_air_after > s.media.max_call_duration) {
    found.push_back({"SWITCHBOARD_DEAD_AIR_AFTER", "is longer than SWITCHBOARD_MAX_CALL_DURATION", "make it shorter"});
  }
  if (chatwoot_is_half_set(s.chatwoot)) {
    found.push_back(
        {"CHATWOOT_BASE_URL", "needs CHATWOOT_ACCOUNT_ID and CHATWOOT_API_KEY beside it", "set all three, or none"});
  }
  if (!s.twilio.auth_token_secondary.empty() && s.twilio.auth_token.empty()) {
    found.push_back({"TWILIO_AUTH_TOKEN_SECONDARY", "is set without TWILIO_AUTH_TOKEN", "set the first token as well"});
  }
  if (!s.vault.integration_encryption_key_previous.empty() && s.vault.integration_encryption_key.empty()) {
    found.push_back({"INTEGRATION_ENCRYPTION_KEY_PREVIOUS", "is set without INTEGRATION_ENCRYPTION_KEY",
                     "make a new key with switchboard generate-encryption-key"});
  }
  if (current_key_is_listed_as_previous(s.vault)) {
    found.push_back({"INTEGRATION_ENCRYPTION_KEY_PREVIOUS", "holds the current key", "list older keys only"});
  }
  return found;
}

}  // namespace config
