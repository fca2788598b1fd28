#include "loadtest/sim/crm/wire_server.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <exception>

#include "gateway/net/request_head.h"

namespace sim::crm {
namespace {

using Tcp = asio::ip::tcp;

constexpr std::size_t most_body_bytes = 8 * 1024 * 1024;

std::string to_bytes(net::Response const& response) {
  std::string bytes = "HTTP/1.1 " + std::to_string(response.status) + " Answer\r\n";
  for (auto const& [name, value] : response.headers) bytes += name + ": " + value + "\r\n";
  if (response.status != 204) bytes += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  return bytes + "\r\n" + response.body;
}

base::Async<bool> receive(Tcp::socket& socket, std::string& received) {
  std::array<char, 16 * 1024> chunk;
  auto const [error, bytes] = co_await socket.async_read_some(asio::buffer(chunk), base::quietly);
  if (error) co_return false;
  received.append(chunk.data(), bytes);
  co_return true;
}

/// A request that the handler cannot make sense of is the client's mistake.
WireAnswer ask(WireServer::Handler const& handler, net::Request const& request) {
  try {
    return handler(request);
  } catch (std::exception const&) {
    return {
        net::Response::json(400, R"({"status":"error","message":"Invalid input JSON","category":"VALIDATION_ERROR"})")};
  }
}

/// The peer sees its connection reset instead of ended.
void reset(Tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

}  // namespace

WireServer::WireServer(asio::any_io_executor executor, base::TimeSource& time, Handler handler)
    : time_{time}, handler_{std::move(handler)}, acceptor_{executor}, connections_{executor} {}

std::uint16_t WireServer::listen(std::uint16_t port) {
  Tcp::endpoint const endpoint{asio::ip::make_address("127.0.0.1"), port};
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  acceptor_.bind(endpoint);
  acceptor_.listen(1024);
  return acceptor_.local_endpoint().port();
}

base::Async<> WireServer::serve() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(base::quietly);
    if (error || stopping_) co_return;
    connections_.spawn(connection(std::move(socket)));
  }
}

void WireServer::stop() {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto* socket : open_) socket->cancel(ignored);
}

base::Async<> WireServer::drain(base::TimeSource::Clock::duration grace) {
  co_await connections_.drain(time_, grace);
}

base::Async<> WireServer::connection(Tcp::socket socket) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const here = open_.insert(open_.end(), &socket);
  boost::system::error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  std::string received;
  bool go_on = true;
  while (go_on && !stopping_) go_on = co_await take_turn(socket, received);
  open_.erase(here);
}

base::Async<bool> WireServer::take_turn(Tcp::socket& socket, std::string& received) {
  static net::HttpLimits const limits;
  net::RequestHeadReader reader{limits};
  std::optional<net::RequestHead> head;
  while (!head) {
    auto looked = reader.look(received);
    if (!looked) co_return false;
    head = std::move(*looked);
    if (head) break;
    bool const more = co_await receive(socket, received);
    if (!more) co_return false;
  }
  auto const body_bytes = head->content_length.value_or(0);
  if (head->chunked || body_bytes > most_body_bytes) co_return false;
  while (received.size() < head->bytes + body_bytes) {
    bool const more = co_await receive(socket, received);
    if (!more) co_return false;
  }
  head->request.body = received.substr(head->bytes, body_bytes);
  received.erase(0, head->bytes + body_bytes);
  auto const answer = ask(handler_, head->request);
  if (answer.delay.count() > 0) {
    auto const waited = co_await time_.wait(answer.delay);
    if (!waited) co_return false;
  }
  auto bytes = to_bytes(answer.response);
  if (answer.cut_after) bytes.resize(std::min(bytes.size(), *answer.cut_after));
  auto const [error, written] = co_await asio::async_write(socket, asio::buffer(bytes), base::quietly);
  if (answer.cut_after) reset(socket);
  co_return !error && !answer.cut_after && head->keep_alive;
}

}  // namespace sim::crm
