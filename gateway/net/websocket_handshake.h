#pragma once
// The HTTP that a WebSocket begins with (RFC 6455, section 4), as pure functions. No extension is offered or taken, and
// so no compression.
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/net/http.h"
#include "gateway/net/url.h"

namespace net::websocket {

// ---- as a client

/// Sixteen random bytes in base64.
std::string make_key();
/// A Host among `headers` stands in for the URL's: for connections that are led through a relay.
std::string upgrade_request(Url const& url, Headers const& headers, std::string_view key);

/// The server has agreed; what follows the first `head_bytes` of what it said are frames already.
struct Agreed {
  std::size_t head_bytes;
};
/// Looks at everything received so far. Empty: more is needed. Fault::refused with the status for any but 101,
/// Fault::protocol for what is no proper answer to `key`, Fault::too_large for an answer of more than 16 KiB.
base::Result<std::optional<Agreed>> read_answer(std::string_view received, std::string_view key);

// ---- as a server

/// The client's key, or the response that says what is wrong with its request.
std::expected<std::string, Response> key_of(Request const& request);
/// `subprotocol`, when not empty, is the one chosen from those the client offered.
std::string switching_protocols(std::string_view key, std::string_view subprotocol);

}  // namespace net::websocket
