#include "gateway/net/websocket_handshake.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/beast/http.hpp>
#include <cctype>

#include "gateway/base/base64.h"
#include "gateway/base/ids.h"

namespace net::websocket {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t longest_answer = 16 * 1024;

/// RFC 6455, 1.3.
std::string accept_of(std::string_view key) {
  auto const joined = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<unsigned char const*>(joined.data()), joined.size(), digest.data());
  return base::to_base64(digest);
}

bool is_key(std::string_view text) {
  auto const is_base64 = [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; };
  return text.size() == 24 && text.ends_with("==") && std::ranges::all_of(text.substr(0, 22), is_base64);
}

}  // namespace

std::string make_key() {
  std::array<std::uint8_t, 16> bytes;
  base::fill_random(bytes);
  return base::to_base64(bytes);
}

std::string upgrade_request(Url const& url, Headers const& headers, std::string_view key) {
  std::string text = "GET " + (url.path.empty() ? "/" : url.path);
  if (!url.query.empty()) text.append("?").append(url.query);
  text.append(" HTTP/1.1\r\n");
  if (!headers.has("Host")) text.append("Host: ").append(url.authority()).append("\r\n");
  text.append("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
  text.append(key).append("\r\n");
  for (auto const& [name, value] : headers) text.append(name).append(": ").append(value).append("\r\n");
  return text.append("\r\n");
}

base::Result<std::optional<Agreed>> read_answer(std::string_view received, std::string_view key) {
  http::response_parser<http::empty_body> parser;
  parser.header_limit(longest_answer);
  parser.skip(true);
  boost::system::error_code error;
  auto const bytes = parser.put(boost::asio::buffer(received), error);
  if (error == http::error::need_more) {
    if (received.size() >= longest_answer) return base::fail(base::Fault::too_large, "upgrade answer is too long");
    return std::optional<Agreed>{};
  }
  if (error) return base::fail(base::Fault::protocol, "upgrade: " + error.message());
  if (!parser.is_header_done()) return std::optional<Agreed>{};
  auto const& answer = parser.get();
  if (answer.result_int() != 101)
    return base::fail(base::Fault::refused, "upgrade answered with status " + std::to_string(answer.result_int()));
  bool const agrees = http::token_list{answer[http::field::upgrade]}.exists("websocket") &&
                      http::token_list{answer[http::field::connection]}.exists("upgrade") &&
                      answer[http::field::sec_websocket_accept] == accept_of(key) &&
                      answer.count(http::field::sec_websocket_extensions) == 0;
  if (!agrees) return base::fail(base::Fault::protocol, "upgrade: the server did not answer our request");
  return Agreed{bytes};
}

std::expected<std::string, Response> key_of(Request const& request) {
  auto const wrong = [](std::string_view details) {
    return std::unexpected{error_response(400, "BAD_REQUEST", details)};
  };
  auto const& headers = request.headers;
  if (request.method != "GET") return wrong("a WebSocket begins with GET");
  if (!http::token_list{headers.find("Upgrade")}.exists("websocket") ||
      !http::token_list{headers.find("Connection")}.exists("upgrade"))
    return wrong("this path takes WebSocket upgrades only");
  if (headers.find("Sec-WebSocket-Version") != "13") {
    auto answer = error_response(426, "UPGRADE_REQUIRED", "WebSocket version 13 is needed");
    answer.headers.add("Sec-WebSocket-Version", "13");
    return std::unexpected{std::move(answer)};
  }
  auto const key = headers.find("Sec-WebSocket-Key");
  if (!is_key(key)) return wrong("Sec-WebSocket-Key is missing or malformed");
  return std::string{key};
}

std::string switching_protocols(std::string_view key, std::string_view subprotocol) {
  auto text =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
      accept_of(key) + "\r\n";
  if (!subprotocol.empty()) text.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  return text.append("\r\n");
}

}  // namespace net::websocket
