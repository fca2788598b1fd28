#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace net {

/// An absolute http, https, ws or wss URL in pieces. Pieces are kept as written (escapes, letter case of the host)
/// except the scheme, which is lower case; a fragment is dropped, since it is never sent.
struct Url {
  std::string scheme;
  std::string userinfo;  ///< "user:password" as written, escaped; empty when there is none.
  std::string host;      ///< Name or address; an IPv6 address without its brackets.
  std::optional<std::uint16_t> port;
  std::string path;   ///< Empty or "/…".
  std::string query;  ///< Without "?".

  /// "host" or "host:port", an IPv6 address in brackets: the value of a Host header.
  std::string authority() const;
  /// "/path?query" for a request line; "/" when the path is empty.
  std::string target() const;
  /// The explicit port, else 443 for https and wss, 80 for http and ws.
  std::uint16_t port_or_default() const;
  bool is_secure() const { return scheme == "https" || scheme == "wss"; }
  Url with_scheme(std::string_view other) const;

  bool operator==(Url const&) const = default;
};

/// Fault::protocol for anything but an absolute URL of those schemes with a plain host name or address (no escapes in
/// it); Fault::too_large beyond 8 KiB.
base::Result<Url> parse_url(std::string_view text);

std::string to_string(Url const& url);

}  // namespace net
