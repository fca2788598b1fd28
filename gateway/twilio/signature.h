#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/secret.h"
#include "gateway/net/form.h"
#include "gateway/net/url.h"

/// X-Twilio-Signature: base64(HMAC-SHA1(auth token, URL + each unique name and value in order)). Rules after Twilio's
/// "Webhooks security" page and the validator of its Node library 6.2.0, whose decisions we repeat; it signs neither
/// time nor nonce, so a replay verifies and must be recognised elsewhere.
namespace gateway::twilio {

/// What Twilio would put into the header for this URL (no fragment, no user:password@) and these decoded fields.
std::string sign(base::Secret const& token, std::string_view url, net::Form const& form = {});

/// Is the header right for a request to this complete public URL, by any of the tokens? As the official validator, the
/// URL is tried without and with its port (or the scheme's usual one), then with its query re-encoded. Takes time that
/// depends on the request's size and the number of tokens only. False for a missing header and when there is no token.
bool accepts_form(std::span<base::Secret const> tokens, std::string_view url, net::Form const& form,
                  std::string_view header);

/// As `accepts_form` without fields; the URL's bodySHA256 must also be the SHA-256 of the body in lower-case hex.
bool accepts_json(std::span<base::Secret const> tokens, std::string_view url, std::string_view body,
                  std::string_view header);

/// For a WebSocket upgrade to a wss:// URL (ws:// in simulations): also with and without a trailing slash, with port
/// 443, and with the query's items signed as fields.
bool accepts_upgrade(std::span<base::Secret const> tokens, std::string_view url, std::string_view header);

/// Checks requests that arrive at one public address. Holds no token: callers pick those of the request's AccountSid.
class SignatureVerifier {
 public:
  /// `public_base` is what Twilio was given, never what a request claims: https://host[:port][/prefix]. A prefix is put
  /// in front of every target (a proxy has removed it).
  explicit SignatureVerifier(net::Url const& public_base);

  /// `target` is the request line's, byte for byte ("/path?query"). A GET webhook has an empty form.
  bool verify_form(std::span<base::Secret const> tokens, std::string_view target, net::Form const& form,
                   std::string_view header) const;
  bool verify_json(std::span<base::Secret const> tokens, std::string_view target, std::string_view body,
                   std::string_view header) const;
  bool verify_websocket(std::span<base::Secret const> tokens, std::string_view target, std::string_view header) const;

 private:
  std::string http_base_;
  std::vector<std::string> socket_bases_;
};

}  // namespace gateway::twilio
