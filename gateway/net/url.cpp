#include "gateway/net/url.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace net {
namespace {

constexpr std::size_t max_url_bytes = 8 * 1024;

bool is_known_scheme(std::string_view scheme) {
  return scheme == "http" || scheme == "https" || scheme == "ws" || scheme == "wss";
}

/// Host names as DNS has them, plus the underscore that internal names use. Escapes and other marks that the URL
/// grammar would allow are how one host is made to look like another.
bool is_plain_name(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  });
}

std::string copy(boost::core::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

base::Result<Url> parse_url(std::string_view text) {
  namespace urls = boost::urls;
  if (text.size() > max_url_bytes) return base::fail(base::Fault::too_large, "URL is too long");
  auto const parsed = urls::parse_uri({text.data(), text.size()});
  if (!parsed) return base::fail(base::Fault::protocol, "not an absolute URL");
  auto const& view = *parsed;

  Url url;
  url.scheme = copy(view.scheme());
  std::ranges::transform(url.scheme, url.scheme.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  if (!is_known_scheme(url.scheme))
    return base::fail(base::Fault::protocol, "URL scheme is not http, https, ws or wss");
  if (!view.has_authority()) return base::fail(base::Fault::protocol, "URL has no host");

  url.host = copy(view.encoded_host());
  if (view.host_type() == urls::host_type::ipv6) {
    url.host = url.host.substr(1, url.host.size() - 2);
  } else if (view.host_type() == urls::host_type::ipvfuture || !is_plain_name(url.host)) {
    return base::fail(base::Fault::protocol, "URL host is not a plain name or address");
  }
  if (view.has_port() && !view.port().empty()) {
    url.port = view.port_number();
    // The parser reports a number that does not fit as zero, and port zero cannot be connected to either.
    if (*url.port == 0) return base::fail(base::Fault::protocol, "URL port is out of range");
  }
  url.userinfo = copy(view.encoded_userinfo());
  url.path = copy(view.encoded_path());
  // Boost.URL 1.81 takes a broken rest of the authority ("host:8x", "a@b@c") for a path without a slash.
  if (!url.path.empty() && !url.path.starts_with('/'))
    return base::fail(base::Fault::protocol, "URL authority is malformed");
  url.query = copy(view.encoded_query());
  return url;
}

std::string Url::authority() const {
  auto text = host.find(':') == host.npos ? host : "[" + host + "]";
  if (port) text += ":" + std::to_string(*port);
  return text;
}

std::string Url::target() const {
  auto text = path.empty() ? std::string{"/"} : path;
  if (!query.empty()) text += "?" + query;
  return text;
}

std::uint16_t Url::port_or_default() const {
  return port.value_or(is_secure() ? 443 : 80);
}

Url Url::with_scheme(std::string_view other) const {
  auto copy_of_this = *this;
  copy_of_this.scheme = other;
  return copy_of_this;
}

std::string to_string(Url const& url) {
  auto text = url.scheme + "://";
  if (!url.userinfo.empty()) text += url.userinfo + "@";
  text += url.authority() + url.path;
  if (!url.query.empty()) text += "?" + url.query;
  return text;
}

}  // namespace net
