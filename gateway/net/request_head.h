#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "gateway/net/http.h"
#include "gateway/net/http_limits.h"

namespace net {

/// The part of a request before its body, and what it says about the body and the connection.
struct RequestHead {
  Request request;  ///< Without the body and the peer's address.
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  std::size_t bytes = 0;  ///< Of the head as received, the empty line included.

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// Why a request is not answered by its route.
struct Refusal {
  unsigned status;
  std::string_view code;
  std::string_view details;
};

/// Reads a request head that arrives in pieces, more strictly than RFC 9112 demands: whatever two HTTP implementations
/// could read in two ways (bare LF, folded lines, space before a colon, repeated or doubtful lengths, any transfer
/// coding but `chunked` alone, a missing or second Host) is refused, so that no proxy in front of us sees other
/// requests than we do.
class RequestHeadReader {
 public:
  explicit RequestHeadReader(HttpLimits const& limits) : limits_{limits} {}

  /// Looks at everything received so far, which must begin with what earlier calls saw. Empty: more bytes are needed.
  std::expected<std::optional<RequestHead>, Refusal> look(std::string_view received);

 private:
  HttpLimits const& limits_;
  std::size_t line_start_ = 0;
  std::size_t searched_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace net
