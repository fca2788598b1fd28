#include "gateway/net/websocket.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>
#include <sstream>

#include "gateway/net/framed_socket.h"
#include "gateway/net/name_lookup.h"
#include "gateway/net/stream.h"
#include "gateway/net/tls.h"
#include "gateway/net/websocket_handshake.h"

namespace net {

using Tcp = asio::ip::tcp;

namespace {

using namespace asio::experimental::awaitable_operators;

using Opened = base::Result<std::unique_ptr<WebSocket>>;

base::Fault fault_of(boost::system::error_code error) {
  return error == asio::error::operation_aborted ? base::Fault::cancelled : base::Fault::unavailable;
}

std::unexpected<base::Error> during_upgrade(base::Error error) {
  return base::fail(error.fault, "upgrade: " + error.detail);
}

base::Async<Opened> upgrade(Stream stream, Url const& url, Headers const& headers, WebSocketSettings const& settings,
                            asio::any_io_executor executor) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const key = websocket::make_key();
  auto const asked = co_await stream.write(websocket::upgrade_request(url, headers, key));
  if (!asked) co_return during_upgrade(asked.error());
  std::string received;
  std::array<char, 4096> piece;
  for (;;) {
    auto const bytes = co_await stream.read_some(piece);
    if (!bytes) co_return during_upgrade(bytes.error());
    if (*bytes == 0) co_return base::fail(base::Fault::unavailable, "upgrade: the server hung up");
    received.append(piece.data(), *bytes);
    auto const answer = websocket::read_answer(received, key);
    if (!answer) co_return std::unexpected{answer.error()};
    if (!*answer) continue;
    received.erase(0, (*answer)->head_bytes);
    co_return std::make_unique<websocket::FramedSocket>(stream.release(), websocket::Role::client, settings, executor,
                                                        std::move(received));
  }
}

base::Async<Opened> dial(Url const& url, Headers const& headers, WebSocketSettings const& settings, TlsClient& tls) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const executor = co_await asio::this_coro::executor;
  // A step that has just ended does not feel a cancellation, and the next one would run without a limit.
  auto const stop = co_await asio::this_coro::cancellation_state;
  auto const is_given_up = [&stop] { return stop.cancelled() != asio::cancellation_type::none; };
  auto const given_up = base::fail(base::Fault::cancelled, "connect cancelled");
  auto const addresses = co_await look_up(url.host);
  if (is_given_up()) co_return given_up;
  if (!addresses) co_return base::fail(addresses.error().fault, "name lookup: " + addresses.error().detail);
  std::vector<Tcp::endpoint> endpoints;
  for (auto const& address : *addresses) endpoints.emplace_back(address, url.port_or_default());
  Tcp::socket socket{executor};
  auto [connect_error, endpoint] = co_await asio::async_connect(socket, endpoints, base::quietly);
  if (is_given_up()) co_return given_up;
  if (connect_error) co_return base::fail(fault_of(connect_error), "connect: " + connect_error.message());
  boost::system::error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  Stream stream{std::move(socket)};
  if (url.scheme == "wss" || url.scheme == "https") {
    auto const secured = co_await tls.secure(stream, url.host);
    if (is_given_up()) co_return given_up;
    if (!secured) co_return std::unexpected{secured.error()};
  }
  auto opened = co_await upgrade(std::move(stream), url, headers, settings, executor);
  co_return opened;
}

}  // namespace

std::shared_ptr<TlsClient> make_tls_client(std::filesystem::path const& extra_authority) {
  return std::make_shared<TlsClient>(extra_authority);
}

base::Async<Opened> connect_websocket(Url url, Headers headers, WebSocketSettings settings, TlsClient& tls,
                                      std::chrono::milliseconds timeout) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!is_sendable(headers)) co_return base::fail(base::Fault::protocol, "a header holds a control character");
  auto const stop = co_await asio::this_coro::cancellation_state;
  if (stop.cancelled() != asio::cancellation_type::none)
    co_return base::fail(base::Fault::cancelled, "connect cancelled");
  asio::steady_timer limit{co_await asio::this_coro::executor, timeout};
  auto outcome = co_await (dial(url, headers, settings, tls) || limit.async_wait(base::quietly));
  if (stop.cancelled() != asio::cancellation_type::none)
    co_return base::fail(base::Fault::cancelled, "connect cancelled");
  if (outcome.index() == 0) co_return std::move(std::get<0>(outcome));
  co_return base::fail(base::Fault::timed_out, "no WebSocket within the time allowed");
}

base::Async<Opened> PendingUpgrade::accept(WebSocketSettings settings, std::string subprotocol) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto key = websocket::key_of(request_);
  if (!key) {
    co_await refuse(std::move(key.error()));
    co_return base::fail(base::Fault::protocol, "not a WebSocket upgrade");
  }
  auto const executor = co_await asio::this_coro::executor;
  auto stream = Stream::adopt(executor, std::move(stream_));
  if (!stream) co_return std::unexpected{stream.error()};
  asio::steady_timer limit{executor, settings.handshake_timeout};
  auto written =
      co_await (stream->write(websocket::switching_protocols(*key, subprotocol)) || limit.async_wait(base::quietly));
  if (written.index() != 0) co_return base::fail(base::Fault::timed_out, "upgrade: the client does not read");
  if (auto const& result = std::get<0>(written); !result) co_return during_upgrade(result.error());
  co_return std::make_unique<websocket::FramedSocket>(stream->release(), websocket::Role::server, settings, executor,
                                                      std::string{});
}

base::Async<> PendingUpgrade::refuse(Response response) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto stream = Stream::adopt(co_await asio::this_coro::executor, std::move(stream_));
  if (!stream) co_return;
  if (!is_sendable(response.headers))
    response = error_response(500, "INTERNAL_ERROR", "the request could not be answered");
  namespace http = boost::beast::http;
  http::response<http::string_body> answer{static_cast<http::status>(response.status), 11};
  for (auto const& [name, value] : response.headers) answer.set(name, value);
  answer.set(http::field::connection, "close");
  answer.body() = std::move(response.body);
  answer.prepare_payload();
  std::ostringstream text;
  text << answer;
  auto const bytes = text.str();
  asio::steady_timer limit{stream->socket().get_executor(), std::chrono::seconds{2}};
  co_await (stream->write(bytes) || limit.async_wait(base::quietly));
  boost::system::error_code ignored;
  stream->socket().shutdown(Tcp::socket::shutdown_both, ignored);
}

}  // namespace net
