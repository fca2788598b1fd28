#pragma once
#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

#include "gateway/base/async.h"
#include "gateway/base/result.h"

namespace net {

/// The addresses of `host`, in the order to try them; an address in figures needs no lookup. getaddrinfo cannot be
/// interrupted: lookups run on a few threads of the whole process, and one that nobody waits for any more
/// (cancellation, the end of the event loop) ends there by itself. Fault::unavailable when there is no such name,
/// Fault::cancelled. Has no time limit of its own: race it with a timer.
base::Async<base::Result<std::vector<asio::ip::address>>> look_up(std::string host);

}  // namespace net
