#pragma once
#include <chrono>
#include <cstddef>

#include "gateway/net/lobby.h"

namespace net {

/// What one client may cost. A request beyond these is answered with a 400-class status and the connection ends.
struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;  ///< Request line and fields together.
  std::size_t header_fields = 100;
  std::size_t target_bytes = 8 * 1024;
  std::chrono::milliseconds header_timeout{10000};  ///< From the first byte (or from accept) to the end of the head.
  std::chrono::milliseconds body_timeout{20000};
  std::chrono::milliseconds keep_alive{60000};  ///< Silence between two requests.
  unsigned requests_per_connection = 1000;
  std::size_t connections = 20000;
  /// Connections without a request that was answered with a status below 400.
  LobbyLimits unproven;
  /// Nothing is accepted while fewer descriptors are left (descriptors.h): calls and the database come first.
  std::size_t descriptor_reserve = 64;
};

}  // namespace net
