#include "loadtest/sim/twilio/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <map>
#include <set>

#include "gateway/base/base64.h"
#include "gateway/net/url.h"

namespace sim::twilio {

std::string sign(std::string_view token, std::string_view url, net::Form const& params) {
  std::map<std::string_view, std::set<std::string_view>> sorted;
  for (auto const& [name, value] : params) sorted[name].insert(value);
  std::string text{url};
  for (auto const& [name, values] : sorted)
    for (auto const value : values) text.append(name).append(value);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha1(), token.data(), static_cast<int>(token.size()), reinterpret_cast<unsigned char const*>(text.data()),
       text.size(), digest.data(), &length);
  std::string out;
  base::append_base64(out, {digest.data(), length});
  return out;
}

std::string signed_url(std::string_view url) {
  std::string text{url.substr(0, url.find('#'))};
  auto const parsed = net::parse_url(text);
  if (!parsed) return text;
  auto const authority_at = text.find("://") + 3;
  auto const authority_end = std::min(text.find_first_of("/?", authority_at), text.size());
  net::Url kept = *parsed;
  if (kept.scheme == "https") kept.port.reset();
  return text.substr(0, authority_at) + kept.authority() + text.substr(authority_end);
}

}  // namespace sim::twilio
