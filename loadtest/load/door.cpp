#include "loadtest/load/door.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "gateway/net/form.h"
#include "loadtest/load/call.h"
#include "loadtest/load/web_socket.h"
#include "loadtest/sim/twilio/rest_json.h"

namespace sim::load {
namespace {

constexpr std::string_view conversation_path = "/v1/convai/conversation";
constexpr std::size_t longest_request = 64 * 1024;

net::Response not_found() {
  return net::Response::json(404, R"({"detail":{"status":"not_found","message":"Not found"}})");
}

/// The CallSid in ".../Calls/CA….json"; empty when it is another path.
std::string_view call_of(std::string_view path) {
  constexpr std::string_view folder = "/Calls/";
  auto const at = path.find(folder);
  if (!path.starts_with("/2010-04-01/Accounts/") || at == path.npos || !path.ends_with(".json")) return {};
  return path.substr(at + folder.size(), path.size() - at - folder.size() - 5);
}

}  // namespace

Visitor::Visitor(Trial& trial) : trial_{trial}, connection_{trial.wires, *this} {}

void Visitor::on_bytes(Connection&, std::span<char> bytes) {
  if (agent_) {
    agent_->take(bytes);
    if (!connection_.is_open()) agent_.reset();
    return;
  }
  received_.append(bytes.data(), bytes.size());
  read_requests();
}

void Visitor::on_gone(Connection&, std::string_view) {
  agent_.reset();
}

void Visitor::read_requests() {
  while (!received_.empty() && connection_.is_open()) {
    net::RequestHeadReader reader{limits_};
    auto head = reader.look(received_);
    if (!head || received_.size() > longest_request) return connection_.close();
    if (!*head) return;
    auto& found = **head;
    auto const length = static_cast<std::size_t>(found.content_length.value_or(0));
    if (found.chunked || length > longest_request) return connection_.close();
    if (received_.size() < found.bytes + length) return;
    received_.erase(0, found.bytes + length);
    answer(found.request);
    if (agent_) {
      if (!received_.empty()) agent_->take(received_);
      received_ = {};
      return;
    }
  }
}

void Visitor::answer(net::Request const& request) {
  auto const path = request.path();
  if (request.headers.has("upgrade") && path == conversation_path) return upgrade(request);
  if (path == "/v1/convai/conversation/get-signed-url" || path == "/v1/convai/conversation/get_signed_url") {
    auto const url =
        fmt::format("{}://{}{}?{}&conversation_signature=load", trial_.server_tls != nullptr ? "wss" : "ws",
                    request.headers.find("host"), conversation_path, request.query());
    return send(net::Response::json(200, fmt::format(R"({{"signed_url":"{}"}})", url)));
  }
  auto const sid = call_of(path);
  if (sid.empty()) return send(not_found());
  auto* const call = trial_.calls->find(sid);
  if (call == nullptr) return send(twilio::rest_error(404, 20404, "The requested resource was not found"));
  if (request.method == "POST") {
    if (!call->is_up()) return send(twilio::rest_error(400, 21220, "Call is not in-progress. Cannot redirect."));
    call->end_by_rest();
  }
  send(net::Response::json(200, twilio::call_json(call->record())));
}

void Visitor::upgrade(net::Request const& request) {
  connection_.send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_for(request.headers.find("sec-websocket-key")) + "\r\n\r\n");
  agent_.emplace(trial_, connection_);
}

void Visitor::send(net::Response const& response) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n", response.status,
                                 response.status < 300 ? "OK" : "Refused", response.body.size());
  for (auto const& [name, value] : response.headers) head.append(name).append(": ").append(value).append("\r\n");
  connection_.send(head + "\r\n" + response.body);
}

Door::Door(Trial& trial, std::uint16_t port) : trial_{trial} {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int const on = 1;
  (void)::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  bool const listens = socket_ >= 0 && ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::listen(socket_, 4096) == 0 &&
                       ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                       trial.wires.poller.add(socket_, *this);
  if (!listens) {
    int const error = errno;
    if (socket_ >= 0) ::close(socket_);
    throw std::system_error{error, std::generic_category(), "cannot listen on 127.0.0.1:" + std::to_string(port)};
  }
  port_ = ntohs(address.sin_port);
}

Door::~Door() {
  trial_.wires.poller.remove(socket_, *this);
  ::close(socket_);
}

void Door::on_ready(std::uint32_t) {
  for (;;) {
    int const accepted = ::accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return;
    auto visitor = std::make_unique<Visitor>(trial_);
    if (visitor->receive(accepted)) visitors_.push_back(std::move(visitor));
  }
}

void Door::sweep() {
  std::erase_if(visitors_, [](auto const& visitor) { return visitor->is_gone(); });
}

}  // namespace sim::load
