#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/form.h"

namespace gateway::twilio {

/// One string that a sender may have signed: the URL, and the fields behind it when they are not those of the body.
struct SignedUrl {
  std::string url;
  net::Form query_as_fields = {};
  bool reencoded = false;  ///< The query is not as it was received.
};

/// The URLs Twilio may have signed for a web request to `url`, most likely first, no two equal. Works on the text as it
/// is, so nothing gets normalised by accident. Empty for a text without "scheme://host".
std::vector<SignedUrl> request_urls(std::string_view url);

/// The same for a WebSocket upgrade.
std::vector<SignedUrl> upgrade_urls(std::string_view url);

}  // namespace gateway::twilio
