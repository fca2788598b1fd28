#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace config {

/// An absolute http(s) address split into what settings care about; views into the text it was read from.
struct WebAddress {
  std::string_view scheme;  ///< "http" or "https".
  std::string_view host;    ///< As written; IPv6 keeps its brackets.
  std::string_view path;    ///< Empty or begins with '/'.
};

/// Nothing when `text` is not http(s)://host[:port][/path]: user names, queries, fragments, spaces, bytes beyond ASCII
/// and ports outside 1–65535 are refused.
std::optional<WebAddress> read_web_address(std::string_view text);

/// localhost, *.localhost, 127.0.0.0/8 and [::1].
bool is_loopback(std::string_view host);

/// True for an IPv4 or IPv6 address without brackets.
bool is_ip_address(std::string const& text);

}  // namespace config
