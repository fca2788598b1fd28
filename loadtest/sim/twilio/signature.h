#pragma once
// The simulator's own signing, written from Twilio's documentation and not shared with the gateway, so that the two can
// only agree by both being right.
#include <string>
#include <string_view>

#include "gateway/net/form.h"

namespace sim::twilio {

/// How a request is signed. `trailing_slash` is legitimate on a stream upgrade (Twilio's own advice is to try it) and
/// must be accepted; `https_scheme`, `wrong_token` and `none` must be refused.
enum class Signing { correct, none, wrong_token, https_scheme, trailing_slash };

/// The value of X-Twilio-Signature: base64(HMAC-SHA1(token, url + sorted name and value pairs)). A repeated name keeps
/// its distinct values, sorted; an empty value leaves the name alone (Twilio: Webhooks security; helper library 6.2.0).
std::string sign(std::string_view token, std::string_view url, net::Form const& params = {});

/// The text of `url` that Twilio signs for a voice request: no fragment, no user:password, no port when it is https.
std::string signed_url(std::string_view url);

}  // namespace sim::twilio
