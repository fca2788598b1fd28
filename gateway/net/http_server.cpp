#include "gateway/net/http_server.h"

#include <boost/asio/socket_base.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace net {
namespace {

using Tcp = asio::ip::tcp;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

Response refusal(boost::system::error_code error) {
  if (error == http::error::body_limit) return error_response(413, "PAYLOAD_TOO_LARGE", "the request body is too large");
  if (error == http::error::header_limit)
    return error_response(431, "HEADERS_TOO_LARGE", "the request headers are too large");
  if (error == beast::error::timeout) return error_response(408, "REQUEST_TIMEOUT", "the request took too long");
  return error_response(400, "BAD_REQUEST", "the request is not valid HTTP");
}

template <class Parser>
Request to_request(Parser& parser, std::string peer) {
  auto& message = parser.get();
  Request request;
  request.method = std::string{message.method_string()};
  request.target = std::string{message.target()};
  request.peer_address = std::move(peer);
  for (auto const& field : message) request.headers.add(std::string{field.name_string()}, std::string{field.value()});
  return request;
}

base::Async<bool> write(beast::tcp_stream& stream, Response response, bool keep_alive, bool head) {
  http::response<http::string_body> message{static_cast<http::status>(response.status), 11};
  for (auto const& [name, value] : response.headers) message.insert(name, value);
  message.keep_alive(keep_alive);
  auto const length = response.body.size();
  if (!head) message.body() = std::move(response.body);
  message.content_length(length);
  if (response.status == 204 || response.status == 304) message.erase(http::field::content_length);
  stream.expires_after(std::chrono::seconds{10});
  http::response_serializer<http::string_body> serializer{message};
  auto [error, bytes] = co_await http::async_write(stream, serializer, base::quietly);
  co_return !error && keep_alive;
}

}  // namespace

HttpServer::HttpServer(asio::any_io_executor executor, base::TimeSource& time, base::Log log, base::Metrics& metrics,
                       Router const& router, HttpLimits limits)
    : time_{time},
      log_{std::move(log)},
      router_{router},
      limits_{limits},
      acceptor_{executor},
      connections_{executor,
                   [this](std::exception_ptr crash) {
                     try {
                       std::rethrow_exception(crash);
                     } catch (std::exception const& error) {
                       log_.error("http handler crashed", {{"error", error.what()}});
                     }
                   }},
      accepted_{metrics.counter("switchboard_http_connections_total", "Connections accepted.")},
      refused_{metrics.counter("switchboard_http_connections_refused_total", "Connections dropped at the socket limit.")} {}

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
    auto [error, socket] = co_await acceptor_.async_accept(base::quietly);
    if (error == asio::error::operation_aborted || stopping_) co_return;
    if (error) {
      // Out of descriptors or memory: trying again at once would spin.
      log_.warning("accept failed", {{"error", error.message()}});
      auto waited = co_await time_.wait(std::chrono::milliseconds{50});
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

void HttpServer::stop() {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

base::Async<> HttpServer::drain(base::TimeSource::Clock::duration grace) { co_await connections_.drain(time_, grace); }

base::Async<> HttpServer::connection(Tcp::socket socket) {
  boost::system::error_code ignored;
  auto const peer = socket.remote_endpoint(ignored).address().to_string();
  socket.set_option(Tcp::no_delay(true), ignored);
  beast::tcp_stream stream{std::move(socket)};
  beast::flat_buffer buffer;
  bool go_on = true;
  for (unsigned served = 0; go_on && !stopping_; ++served) {
    http::request_parser<http::empty_body> head;
    head.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    stream.expires_after(served == 0 ? limits_.header_timeout : limits_.keep_alive);
    auto [head_error, head_bytes] = co_await http::async_read_header(stream, buffer, head, base::quietly);
    if (head_error == http::error::end_of_stream || head_error == asio::error::operation_aborted ||
        (head_error == beast::error::timeout && served > 0))
      break;
    if (head_error) {
      co_await write(stream, refusal(head_error), false, false);
      break;
    }
    auto const& fields = head.get();
    bool const keep_alive = head.keep_alive() && served + 1 < limits_.requests_per_connection;
    auto const field_count = static_cast<std::size_t>(std::distance(fields.begin(), fields.end()));
    if (fields.target().size() > limits_.target_bytes || field_count > limits_.header_fields) {
      bool const long_target = fields.target().size() > limits_.target_bytes;
      co_await write(stream,
                     long_target ? error_response(414, "URI_TOO_LONG", "the request target is too long")
                                 : error_response(431, "HEADERS_TOO_LARGE", "too many header fields"),
                     false, false);
      break;
    }
    auto request = to_request(head, peer);
    auto const match = router_.find(request.method == "HEAD" ? "GET" : request.method, request.path());
    bool const has_body = head.chunked() || (head.content_length() && *head.content_length() > 0);

    if (match.route && match.route->upgrade) {
      // A client must stay silent until we answer 101: anything already here would be lost with the parser's buffer.
      if (has_body || buffer.size() > 0) {
        co_await write(stream, error_response(400, "BAD_REQUEST", "data before the upgrade was answered"), false, false);
        break;
      }
      auto raw = stream.release_socket();
      int const descriptor = raw.release(ignored);
      PendingUpgrade pending{std::move(request), descriptor};
      co_await match.route->upgrade(std::move(pending));
      co_return;
    }
    if (!match.route) {
      auto answer = match.path_known ? error_response(405, "METHOD_NOT_ALLOWED", "this path does not take that method")
                                     : error_response(404, "NOT_FOUND", "there is nothing at this path");
      go_on = co_await write(stream, std::move(answer), keep_alive && !has_body, request.method == "HEAD");
      continue;
    }
    http::request_parser<http::string_body> full{std::move(head)};
    if (has_body) {
      full.body_limit(match.route->max_body_bytes);
      if (http::token_list{fields[http::field::expect]}.exists("100-continue") ||
          request.headers.find("expect") == "100-continue") {
        http::response<http::empty_body> proceed{http::status::continue_, 11};
        (void)co_await http::async_write(stream, proceed, base::quietly);
      }
      stream.expires_after(limits_.body_timeout);
      auto [body_error, body_bytes] = co_await http::async_read(stream, buffer, full, base::quietly);
      if (body_error) {
        co_await write(stream, refusal(body_error), false, false);
        break;
      }
      request.body = std::move(full.get().body());
    }
    stream.expires_never();
    bool const head_only = request.method == "HEAD";
    auto response = co_await match.route->handler(std::move(request));
    go_on = co_await write(stream, std::move(response), keep_alive && !stopping_, head_only);
  }
  stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
}

}  // namespace net
