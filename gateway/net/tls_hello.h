#pragma once
#include <boost/asio/ip/tcp.hpp>

#include "gateway/base/async.h"

namespace net {

/// What a client begins with.
enum class Opening { hello, plain_http, other, none };

/// Waits, without reading anything, until the first record of a client's hello lies in the socket as a whole: OpenSSL
/// sets 77 KiB aside for a handshake, and a client that stops after a byte shall not have them. `none` when the client
/// has gone or the socket's operations were cancelled.
base::Async<Opening> await_opening(asio::ip::tcp::socket& socket);

}  // namespace net
