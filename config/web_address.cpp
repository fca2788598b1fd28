#include "config/web_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace config {
namespace {

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_path_character(char c) {
  return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '"' && c != '\\';
}

bool is_ipv4(std::string const& text) {
  in_addr ignored{};
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1;
}

bool is_ipv6(std::string const& text) {
  in6_addr ignored{};
  return inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) return host.ends_with(']') && is_ipv6(std::string{host.substr(1, host.size() - 2)});
  return !host.empty() && !host.starts_with('.') && !host.starts_with('-') &&
         std::ranges::all_of(host, is_host_character);
}

bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port != 0;
}

}  // namespace

std::optional<WebAddress> read_web_address(std::string_view text) {
  auto const colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  WebAddress address{.scheme = text.substr(0, colon), .host = {}, .path = {}};
  if (address.scheme != "http" && address.scheme != "https") return std::nullopt;
  auto const rest = text.substr(colon + 3);
  auto const slash = std::min(rest.find('/'), rest.size());
  address.path = rest.substr(slash);
  auto authority = rest.substr(0, slash);
  auto const after_brackets = authority.starts_with('[') ? authority.find(']') : 0;
  if (after_brackets == std::string_view::npos) return std::nullopt;
  auto const port = authority.find(':', after_brackets);
  if (port != std::string_view::npos && !is_port(authority.substr(port + 1))) return std::nullopt;
  address.host = authority.substr(0, port);
  if (!is_host(address.host) || !std::ranges::all_of(address.path, is_path_character)) return std::nullopt;
  return address;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]") return true;
  return host.starts_with("127.") && is_ipv4(std::string{host});
}

bool is_ip_address(std::string const& text) {
  return is_ipv4(text) || is_ipv6(text);
}

}  // namespace config
