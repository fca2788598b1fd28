#pragma once
// The one question asked over HTTP before a conversation: where is the socket?
#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "gateway/agent/elevenlabs/settings.h"
#include "gateway/base/async.h"
#include "gateway/call/leg.h"
#include "gateway/net/http_client.h"
#include "gateway/net/url.h"

namespace gateway::elevenlabs {

/// Where and how to open the conversation socket. The URL may hold a signature: never log it.
struct SocketAddress {
  net::Url url;
  net::Headers headers;
};

/// The address, or how the call's agent ends before it began: `quota`, `refused` (trying again cannot help) or `lost`.
using Located = std::expected<SocketAddress, AgentLegEnd>;

/// Without a key, or with the key on the socket, this asks nobody. Otherwise GET …/get-signed-url, at most `timeout`.
/// The signature is valid for 15 minutes, to start a conversation.
base::Async<Located> locate_socket(net::HttpClient& http, Settings const& settings, std::string agent_id,
                                   std::chrono::milliseconds timeout);

/// Reads the answer of get-signed-url. Only wss:// is taken, or ws:// when the API itself is reached over http://.
base::Result<net::Url> read_signed_url(net::Response const& response, bool api_is_secure);

/// An answer other than 2xx as a fault. `detail` has the status and the vendor's error code, never the body.
/// not_found: 404. unavailable: 425, 429 (rate), 5xx. refused: everything else that asking again cannot change.
base::Error api_error(net::Response const& response);

/// `code`, else `status`, of any of the four shapes of an error body (object, array, text, none); at most 40 characters
/// of a-z 0-9 _ + -, so that it may be logged and used as a label.
std::string api_error_code(std::string_view body);

}  // namespace gateway::elevenlabs
