#pragma once
// Standard Webhooks 1.0, symmetric scheme "v1": base64(HMAC-SHA256(key, id.timestamp.body)) in the header
// webhook-signature, beside webhook-id and webhook-timestamp. Vectors: tests/data/standard-webhooks-vectors.json.
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/secret.h"

namespace crm::webhook {

/// How far a timestamp may be from the receiver's clock, either way.
inline constexpr std::chrono::seconds tolerance{300};

/// "whsec_" and base64 of 24 to 64 bytes -> those bytes. Fault::refused for anything else; the detail never repeats the
/// text.
base::Result<base::Secret> read_signing_secret(base::Secret const& text);

/// A new one in that form, of 32 random bytes.
base::Secret new_signing_secret();

/// The value of webhook-signature: one "v1,…" for each key, a space between, so that a receiver that still holds the
/// old key accepts as well. Keys are bytes, as read_signing_secret() gives them. `timestamp` is Unix seconds, sent as
/// webhook-timestamp in decimal; `id` stays the same when the same thing is sent again and holds no '.'.
std::string sign(std::span<base::Secret const> keys, std::string_view id, std::int64_t timestamp,
                 std::string_view body);
std::string sign(base::Secret const& key, std::string_view id, std::int64_t timestamp, std::string_view body);

/// The three headers of a request, as received; empty when missing.
struct SignedHeaders {
  std::string_view id;
  std::string_view timestamp;
  std::string_view signature;
};

/// True when one of the v1 signatures is by one of the keys and the timestamp is near `now` (Unix seconds). Comparing
/// takes the same time wherever the difference is.
bool verify(std::span<base::Secret const> keys, SignedHeaders const& headers, std::string_view body, std::int64_t now);

}  // namespace crm::webhook
