#include <boost/beast/http.hpp>
#include <cstdlib>

#include "gateway/net/request_head.h"

namespace http = boost::beast::http;

namespace {

void demand(bool claim) {
  if (!claim) std::abort();
}

using Looked = std::expected<std::optional<net::RequestHead>, net::Refusal>;

Looked look_in_pieces(std::string_view bytes, std::size_t piece, net::HttpLimits const& limits) {
  net::RequestHeadReader reader{limits};
  for (std::size_t seen = piece; seen < bytes.size(); seen += piece) {
    auto looked = reader.look(bytes.substr(0, seen));
    if (!looked || *looked) return looked;
  }
  return reader.look(bytes);
}

void same_head(net::RequestHead const& a, net::RequestHead const& b) {
  demand(a.request.method == b.request.method && a.request.target == b.request.target && a.bytes == b.bytes);
  demand(a.content_length == b.content_length && a.chunked == b.chunked && a.keep_alive == b.keep_alive);
}

/// Beast reads bodies after our own reader has read the head: where Beast understands the head, it must see the same
/// request.
void beast_agrees(net::RequestHead const& head, std::string_view bytes) {
  http::request_parser<http::empty_body> parser;
  parser.body_limit(boost::none);
  parser.header_limit(64 * 1024);
  boost::system::error_code error;
  auto const used = parser.put(boost::asio::buffer(bytes.data(), head.bytes), error);
  if (error || !parser.is_header_done()) return;
  auto const& message = parser.get();
  demand(used == head.bytes);
  demand(message.method_string() == head.request.method && message.target() == head.request.target);
  demand(parser.chunked() == head.chunked);
  demand(parser.content_length().value_or(0) == head.content_length.value_or(0));
  auto const fields = std::distance(message.begin(), message.end());
  demand(fields == std::distance(head.request.headers.begin(), head.request.headers.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes{reinterpret_cast<char const*>(data), size};
  net::HttpLimits const limits{.header_bytes = 2048, .header_fields = 20, .target_bytes = 256};
  auto const whole = look_in_pieces(bytes, bytes.size() + 1, limits);
  auto const torn = look_in_pieces(bytes, 1, limits);
  auto const halves = look_in_pieces(bytes, bytes.size() / 2 + 1, limits);
  // However the bytes arrive, the same requests are accepted; the reason of a refusal may differ.
  demand(whole.has_value() == torn.has_value() && whole.has_value() == halves.has_value());
  if (!whole) {
    demand(whole.error().status >= 400 && whole.error().status < 500);
    return 0;
  }
  demand(whole->has_value() == (*torn).has_value() && whole->has_value() == (*halves).has_value());
  if (!*whole) return 0;
  auto const& head = **whole;
  same_head(head, **torn);
  same_head(head, **halves);
  demand(head.bytes <= limits.header_bytes && head.request.target.size() <= limits.target_bytes);
  demand(static_cast<std::size_t>(std::distance(head.request.headers.begin(), head.request.headers.end())) <=
         limits.header_fields);
  demand(net::is_sendable(head.request.headers));
  demand(!(head.chunked && head.content_length));
  beast_agrees(head, bytes);
  return 0;
}
