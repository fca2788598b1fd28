#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/secret.h"

/// ElevenLabs-Signature: t=<unix seconds>,v0=<lower-case hex of HMAC-SHA256(secret, t "." body)>, over the raw bytes.
/// Vectors: tests/data/elevenlabs-webhook-vectors.json. Stricter than the published SDKs, which take any time in the
/// future and compare in a time that tells where the difference is.
namespace gateway::elevenlabs {

inline constexpr std::chrono::seconds webhook_max_age{30 * 60};
inline constexpr std::chrono::seconds webhook_max_lead{5 * 60};

enum class SignatureVerdict { good, missing, malformed, stale, mismatch };

std::string_view to_string(SignatureVerdict verdict);

/// What can be said without the body, in no time: `good` means worth hashing. `now` is Unix seconds.
SignatureVerdict glance_at_signature(std::string_view header, std::int64_t now);

/// Good when any of the v0 elements is right. With an empty secret nothing is.
SignatureVerdict check_signature(base::Secret const& secret, std::string_view header, std::string_view body,
                                 std::int64_t now);

/// The header for this body, as ElevenLabs makes it.
std::string sign_webhook(base::Secret const& secret, std::string_view body, std::int64_t when);

}  // namespace gateway::elevenlabs
