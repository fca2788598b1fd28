#include "gateway/net/http_server.h"

#include <boost/asio/socket_base.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/read_size.hpp>
#include <boost/beast/http.hpp>

#include "gateway/net/deadline.h"
#include "gateway/net/descriptors.h"
#include "gateway/net/request_head.h"
#include "gateway/net/stream.h"
#include "gateway/net/tls_hello.h"

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace net {
namespace {

using Tcp = asio::ip::tcp;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr Refusal too_slow{408, "REQUEST_TIMEOUT", "the request took too long"};
constexpr Refusal body_too_large{413, "PAYLOAD_TOO_LARGE", "the request body is too large"};
constexpr Refusal plain_http{400, "TLS_REQUIRED", "this port speaks https"};
constexpr Refusal bad_body{400, "BAD_REQUEST", "the request body is not valid HTTP"};
constexpr auto accept_pause = std::chrono::milliseconds{50};
constexpr auto write_limit = std::chrono::seconds{10};
constexpr auto linger_limit = std::chrono::seconds{1};
constexpr std::size_t linger_bytes = 1024 * 1024;
constexpr std::size_t read_chunk = 4096;
constexpr std::size_t body_window = 64 * 1024;
constexpr std::size_t kept_idle_bytes = 8 * 1024;
constexpr std::size_t chunk_extension_bytes = 1024;

Response to_response(Refusal const& refusal) {
  return error_response(refusal.status, refusal.code, refusal.details);
}

/// What a handler gave, or a 500 when it cannot stand on the wire.
Response sendable(Response response) {
  bool const final_status = response.status >= 200 && response.status <= 599;
  if (final_status && is_sendable(response.headers)) return response;
  return error_response(500, "INTERNAL_ERROR", "the request could not be answered");
}

}  // namespace

struct HttpServer::Wire {
  Wire(Tcp::socket s, HttpLimits const& limits, Lobby& lobby, std::string_view peer, prometheus::Gauge& open)
      : stream{std::move(s)},
        buffer{limits.header_bytes + body_window},
        deadline{stream.socket()},
        guest{lobby, peer, [this] { drop(); }},
        counted{open} {
    counted.Increment();
  }
  ~Wire() { counted.Decrement(); }
  Wire(Wire const&) = delete;
  Wire& operator=(Wire const&) = delete;

  /// Whatever it waits for fails. Not closed: a handshake may be using the descriptor on its own thread.
  void drop() {
    boost::system::error_code ignored;
    stream.socket().shutdown(Tcp::socket::shutdown_both, ignored);
  }

  std::string_view received() const {
    auto const data = buffer.cdata();
    return {static_cast<char const*>(data.data()), data.size()};
  }
  /// False when the client has ended, the connection is gone or its deadline has passed.
  base::Async<bool> receive(std::size_t at_most) {
    auto const space = buffer.prepare(at_most);
    auto const bytes = co_await stream.read_some({static_cast<char*>(space.data()), space.size()});
    if (!bytes || *bytes == 0 || deadline.passed()) co_return false;
    buffer.commit(*bytes);
    co_return true;
  }

  Stream stream;
  beast::flat_buffer buffer;  // received and not yet consumed; holds pipelined requests
  Deadline deadline;
  Lobby::Guest guest;  // until the first request that was answered well
  prometheus::Gauge& counted;
  bool proven = false;
};

/// How one request and its answer went.
struct HttpServer::Turn {
  bool go_on = false;   // the connection may carry another request
  bool unread = false;  // the client may still be sending: closing at once would reset away our answer
};

namespace {

/// A head, a refusal to answer with, or nothing when the client has gone.
using HeadRead = std::expected<RequestHead, std::optional<Refusal>>;

template <class Wire>
base::Async<HeadRead> read_head(Wire& wire, HttpLimits const& limits) {
  RequestHeadReader reader{limits};
  wire.deadline.set(limits.header_timeout);
  for (;;) {
    auto looked = reader.look(wire.received());
    if (!looked) co_return std::unexpected{std::optional{looked.error()}};
    if (*looked) co_return std::move(**looked);
    bool const more = co_await wire.receive(read_chunk);
    if (wire.deadline.passed()) co_return std::unexpected{std::optional{too_slow}};
    if (!more) co_return std::unexpected{std::optional<Refusal>{}};
  }
}

/// Reads the body that `head`, still at the front of the buffer, announces. Beast reads the head a second time, so a
/// body is read only when both parsers agree on its length.
template <class Wire>
base::Async<std::expected<std::string, Refusal>> read_body(Wire& wire, RequestHead const& head, std::size_t max_bytes,
                                                           HttpLimits const& limits) {
  if (head.content_length.value_or(0) > max_bytes) co_return std::unexpected{body_too_large};
  wire.deadline.set(limits.body_timeout);
  if (head.expects_continue && wire.buffer.size() == head.bytes) {
    static constexpr std::string_view proceed = "HTTP/1.1 100 Continue\r\n\r\n";
    auto const written = co_await wire.stream.write(proceed);
    if (!written) co_return std::unexpected{too_slow};
  }
  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  parser.body_limit(max_bytes);
  std::size_t extension_bytes = 0;
  auto on_chunk = [&extension_bytes](std::uint64_t, std::string_view extensions, boost::system::error_code& error) {
    extension_bytes += extensions.size();
    if (extension_bytes > chunk_extension_bytes) error = http::error::bad_chunk_extension;
  };
  parser.on_chunk_header(on_chunk);
  parser.eager(true);
  while (!parser.is_done()) {
    boost::system::error_code error;
    wire.buffer.consume(parser.put(wire.buffer.cdata(), error));
    if (error == http::error::body_limit) co_return std::unexpected{body_too_large};
    if (error && error != http::error::need_more) co_return std::unexpected{bad_body};
    if (parser.is_done()) break;
    auto const space = beast::read_size(wire.buffer, body_window);
    if (space == 0) co_return std::unexpected{bad_body};
    bool const more = co_await wire.receive(space);
    if (wire.deadline.passed()) co_return std::unexpected{too_slow};
    if (!more) co_return std::unexpected{bad_body};
  }
  co_return std::move(parser.get().body());
}

std::string to_bytes(http::response<http::string_body>& message) {
  std::string bytes;
  http::response_serializer<http::string_body> serializer{message};
  boost::system::error_code error;
  auto const append = [&](boost::system::error_code&, auto const& pieces) {
    for (auto const piece : beast::buffers_range_ref(pieces))
      bytes.append(static_cast<char const*>(piece.data()), piece.size());
    serializer.consume(beast::buffer_bytes(pieces));
  };
  while (!serializer.is_done() && !error) serializer.next(error, append);
  return bytes;
}

/// True when all of it was written in time.
template <class Wire>
base::Async<bool> write(Wire& wire, Response response, bool keep_alive, bool head_only) {
  http::response<http::string_body> message{static_cast<http::status>(response.status), 11};
  for (auto const& [name, value] : response.headers) message.insert(name, value);
  message.keep_alive(keep_alive);
  bool const never_has_body = response.status == 204 || response.status == 304;
  if (!never_has_body) message.content_length(response.body.size());
  if (!never_has_body && !head_only) message.body() = std::move(response.body);
  auto const bytes = to_bytes(message);
  wire.deadline.set(write_limit);
  auto const written = co_await wire.stream.write(bytes);
  co_return written.has_value();
}

/// Lets the client finish and read our answer before the socket closes.
template <class Wire>
base::Async<> linger(Wire& wire) {
  wire.deadline.set(linger_limit);
  for (std::size_t seen = 0; seen < linger_bytes; seen += wire.buffer.size()) {
    wire.buffer.clear();
    bool const more = co_await wire.receive(read_chunk);
    if (!more) co_return;
  }
}

}  // namespace

HttpServer::HttpServer(asio::any_io_executor executor, base::TimeSource& time, base::Log log, base::Metrics& metrics,
                       Router const& router, HttpLimits limits, TlsServer const* tls)
    : time_{time},
      log_{std::move(log)},
      router_{router},
      limits_{limits},
      tls_{tls},
      acceptor_{executor},
      lobby_{limits.unproven, metrics},
      connections_{executor,
                   [this](std::string const& what) { log_.error("http connection crashed", {{"error", what}}); }},
      open_{metrics.gauge("switchboard_http_connections_open", "Connections open, media streams not counted.")},
      accepted_{metrics.counter("switchboard_http_connections_total", "Connections accepted.")},
      refused_{
          metrics.counter("switchboard_http_connections_refused_total", "Connections dropped at the socket limit.")},
      unsecured_{metrics.counter("switchboard_tls_handshakes_failed_total",
                                 "Connections of clients that came to no TLS with us.")},
      shortages_{metrics.counter("switchboard_descriptor_shortages_total",
                                 "Times that accepting rested for want of descriptors.")} {}

std::uint16_t HttpServer::listen(std::string const& address, std::uint16_t port) {
  Tcp::endpoint const endpoint{asio::ip::make_address(address), port};
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  acceptor_.set_option(ReusePort(true));
  acceptor_.bind(endpoint);
  acceptor_.listen(4096);
  return acceptor_.local_endpoint().port();
}

base::Async<> HttpServer::serve() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    bool const may = co_await may_accept();
    if (!may) co_return;
    auto [error, socket] = co_await acceptor_.async_accept(base::quietly);
    if (error == asio::error::operation_aborted || stopping_) co_return;
    if (error) {
      // Out of memory, say: trying again at once would spin.
      log_.warning("accept failed", {{"error", error.message()}});
      auto const waited = co_await time_.wait(accept_pause);
      if (!waited) co_return;
      continue;
    }
    if (connections_.size() >= limits_.connections) {
      refused_.Increment();
      continue;
    }
    accepted_.Increment();
    connections_.spawn(connection(std::move(socket)));
  }
}

/// Rests while descriptors are short; who wants to connect waits in the kernel's queue. False when cancelled or
/// stopped.
base::Async<bool> HttpServer::may_accept() {
  while (descriptors_left() < limits_.descriptor_reserve) {
    if (!is_short_) {
      shortages_.Increment();
      log_.warning("accepting rests: descriptors are short", {{"reserve", limits_.descriptor_reserve}});
    }
    is_short_ = true;
    auto const waited = co_await time_.wait(accept_pause);
    if (!waited || stopping_) co_return false;
  }
  if (is_short_) log_.info("accepting goes on");
  is_short_ = false;
  co_return true;
}

void HttpServer::stop() {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto* socket : idle_) socket->cancel(ignored);
}

base::Async<> HttpServer::drain(base::TimeSource::Clock::duration grace) {
  co_await connections_.drain(time_, grace);
}

base::Async<> HttpServer::connection(Tcp::socket socket) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const cancellation = co_await asio::this_coro::cancellation_state;
  boost::system::error_code ignored;
  auto const peer = socket.remote_endpoint(ignored).address().to_string();
  socket.set_option(Tcp::no_delay(true), ignored);
  Wire wire{std::move(socket), limits_, lobby_, peer, open_};
  wire.deadline.set(limits_.header_timeout);
  Turn turn{.go_on = true};
  if (tls_ != nullptr) turn = co_await secure(wire);
  for (unsigned served = 1; turn.go_on; ++served) {
    if (stopping_ || cancellation.cancelled() != asio::cancellation_type::none) break;
    if (served > 1) wire.deadline.set(limits_.keep_alive);
    bool const here = co_await await_request(wire);
    if (!here) break;
    turn = co_await take_turn(wire, peer, served < limits_.requests_per_connection);
  }
  if (!wire.stream.socket().is_open()) co_return;
  wire.stream.end_writing();
  if (turn.unread) co_await linger(wire);
}

/// Plain HTTP is told so plainly.
base::Async<HttpServer::Turn> HttpServer::secure(Wire& wire) {
  auto const waiting = idle_.insert(idle_.end(), &wire.stream.socket());
  auto const opening = co_await await_opening(wire.stream.socket());
  idle_.erase(waiting);
  if (wire.deadline.passed() || opening == Opening::none) co_return Turn{};
  if (opening == Opening::hello) {
    auto const secured = co_await tls_->secure(wire.stream);
    if (secured && !wire.deadline.passed()) co_return Turn{.go_on = true};
    log_.debug("no TLS with a client", {{"why", secured ? "too slow" : secured.error().detail}});
  }
  unsecured_.Increment();
  if (opening != Opening::plain_http) co_return Turn{};
  co_await write(wire, to_response(plain_http), false, false);
  co_return Turn{.unread = true};
}

/// True when the first byte of a request is there; false when the client has gone, the time is up or the server stops.
base::Async<bool> HttpServer::await_request(Wire& wire) {
  if (wire.buffer.size() > 0) co_return true;
  if (wire.buffer.capacity() > kept_idle_bytes) wire.buffer.shrink_to_fit();
  auto const waiting = idle_.insert(idle_.end(), &wire.stream.socket());
  bool const here = co_await wire.receive(read_chunk);
  idle_.erase(waiting);
  co_return here;
}

base::Async<HttpServer::Turn> HttpServer::take_turn(Wire& wire, std::string const& peer, bool may_go_on) {
  auto head = co_await read_head(wire, limits_);
  if (!head) {
    if (!head.error()) co_return Turn{};
    co_await write(wire, to_response(*head.error()), false, false);
    co_return Turn{.unread = true};
  }
  auto request = std::move(head->request);
  request.peer_address = peer;
  bool const head_only = request.method == "HEAD";
  auto const match = router_.find(head_only ? "GET" : request.method, request.path());
  bool const upgrades = match.route && match.route->upgrade;

  if (!match.route || (upgrades && head_only)) {
    auto answer = match.path_known ? error_response(405, "METHOD_NOT_ALLOWED", "this path does not take that method")
                                   : error_response(404, "NOT_FOUND", "there is nothing at this path");
    if (match.path_known) answer.headers.add("Allow", match.route ? "GET" : match.allow);
    bool const go_on = may_go_on && head->keep_alive && !head->has_body() && !stopping_;
    wire.buffer.consume(head->bytes);
    bool const written = co_await write(wire, std::move(answer), go_on, head_only);
    co_return Turn{.go_on = written && go_on, .unread = head->has_body()};
  }
  if (upgrades) {
    // A client must stay silent until we answer 101: anything already here would be lost with our buffer.
    if (head->has_body() || wire.buffer.size() > head->bytes) {
      auto early = error_response(400, "BAD_REQUEST", "data before the upgrade was answered");
      co_await write(wire, std::move(early), false, false);
      co_return Turn{.unread = true};
    }
    co_await hand_over(wire, match.route->upgrade, std::move(request));
    co_return Turn{};
  }
  if (head->has_body()) {
    auto body = co_await read_body(wire, *head, match.route->max_body_bytes, limits_);
    if (!body) {
      co_await write(wire, to_response(body.error()), false, head_only);
      co_return Turn{.unread = true};
    }
    request.body = std::move(*body);
  } else {
    wire.buffer.consume(head->bytes);
  }
  wire.deadline.clear();
  wire.guest.leave();
  auto response = co_await ask_handler(*match.route, std::move(request));
  if (response.status == 0) co_return Turn{};
  wire.proven |= response.status < 400;
  bool const go_on = may_go_on && head->keep_alive && !stopping_;
  bool const written = co_await write(wire, sendable(std::move(response)), go_on, head_only);
  if (!wire.proven) wire.guest.come_back();
  co_return Turn{.go_on = written && go_on};
}

/// A handler that throws costs one answer, not the connection, and its reason goes to the log only.
base::Async<Response> HttpServer::ask_handler(Router::Route const& route, Request request) {
  std::string reason = "not a std::exception";
  try {
    auto response = co_await route.handler(std::move(request));
    co_return response;
  } catch (std::exception const& error) {
    reason = error.what();
  } catch (...) {
  }
  auto const cancellation = co_await asio::this_coro::cancellation_state;
  // A wait that threw because we are being dropped is no crash.
  if (cancellation.cancelled() == asio::cancellation_type::none)
    log_.error("http handler crashed", {{"route", route.path}, {"error", reason}});
  co_return error_response(500, "INTERNAL_ERROR", "the request could not be answered");
}

base::Async<> HttpServer::hand_over(Wire& wire, Router::UpgradeHandler const& handler, Request request) {
  wire.guest.leave();
  wire.deadline.clear();
  wire.buffer.clear();
  wire.buffer.shrink_to_fit();
  PendingUpgrade pending{std::move(request), wire.stream.release()};
  co_await handler(std::move(pending));
}

}  // namespace net
