#include "loadtest/load/wire.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sim::load {
namespace {

constexpr std::size_t kept_buffer_bytes = 4096;
constexpr std::int64_t would_block = 0;
constexpr std::int64_t broken = -1;
constexpr std::int64_t ended = -2;

}  // namespace

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool Connection::connect(sockaddr_in const& to, SSL_CTX* tls, std::string const& host) {
  int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  if (::connect(socket, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
    ::close(socket);
    return false;
  }
  if (!start(socket, tls, /*is_server=*/false)) return false;
  if (tls_) {
    SSL_set_tlsext_host_name(tls_.get(), host.c_str());
    SSL_set_connect_state(tls_.get());
  }
  return true;
}

bool Connection::adopt(int socket, SSL_CTX* tls) {
  if (!start(socket, tls, /*is_server=*/true)) return false;
  if (tls_) SSL_set_accept_state(tls_.get());
  return true;
}

bool Connection::start(int socket, SSL_CTX* tls, bool is_server) {
  close();
  int const on = 1;
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  socket_ = socket;
  state_ = is_server ? State::shaking_hands : State::connecting;
  if (tls != nullptr) {
    tls_.reset(SSL_new(tls));
    SSL_set_mode(tls_.get(),
                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_set_fd(tls_.get(), socket);
  }
  if (wires_.poller.add(socket, *this)) return true;
  ::close(socket);
  socket_ = -1;
  tls_.reset();
  return false;
}

void Connection::close() {
  if (socket_ < 0) return;
  wires_.poller.remove(socket_, *this);
  if (tls_ && state_ == State::open) (void)SSL_shutdown(tls_.get());
  tls_.reset();
  ::close(socket_);
  socket_ = -1;
  state_ = State::closed;
  waiting_.clear();
  written_ = 0;
  is_finishing_ = false;
}

void Connection::finish() {
  is_finishing_ = true;
  if (queued() == 0) close();
}

void Connection::lose(std::string_view why) {
  std::string const reason{why};
  close();
  events_.on_gone(*this, reason);
}

void Connection::on_ready(std::uint32_t events) {
  if (wires_.ticker != nullptr) wires_.ticker->run_due();
  if (socket_ < 0) return;
  if (state_ != State::open) advance();
  if (state_ != State::open) return;
  if (queued() > 0 && (events & EPOLLOUT) != 0) flush();
  if (state_ == State::open && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    read((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

/// One step nearer to an open connection.
void Connection::advance() {
  if (state_ == State::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    (void)::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return lose(std::strerror(error));
    sockaddr_in peer{};
    socklen_t peer_size = sizeof peer;
    if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return;  // not yet
    state_ = State::shaking_hands;
  }
  if (tls_) {
    ERR_clear_error();
    int const done = SSL_do_handshake(tls_.get());
    if (done != 1) {
      int const wanted = SSL_get_error(tls_.get(), done);
      if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE) return;
      auto const* reason = ERR_reason_error_string(ERR_peek_last_error());
      return lose(std::string{"TLS: "} + (reason != nullptr ? reason : "handshake failed"));
    }
  }
  state_ = State::open;
  events_.on_connected(*this);
}

void Connection::read(bool peer_is_done) {
  for (;;) {
    auto const got = read_some(wires_.input);
    if (got == would_block) return;
    if (got < 0) return lose(got == ended ? std::string_view{} : std::string_view{std::strerror(errno)});
    events_.on_bytes(*this, std::span{wires_.input}.first(static_cast<std::size_t>(got)));
    if (state_ != State::open) return;
    // A short read has emptied the socket; TLS may hold a further record.
    bool const is_empty = !tls_ && static_cast<std::size_t>(got) < wires_.input.size();
    if (is_empty && !peer_is_done) return;
  }
}

std::int64_t Connection::read_some(std::span<char> into) {
  if (tls_) {
    ERR_clear_error();
    int const got = SSL_read(tls_.get(), into.data(), static_cast<int>(into.size()));
    if (got > 0) return got;
    int const wanted = SSL_get_error(tls_.get(), got);
    if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE) return would_block;
    return wanted == SSL_ERROR_ZERO_RETURN ? ended : broken;
  }
  auto const got = ::recv(socket_, into.data(), into.size(), 0);
  if (got > 0) return got;
  if (got == 0) return ended;
  return errno == EAGAIN ? would_block : broken;
}

std::int64_t Connection::write_some(std::string_view bytes) {
  if (tls_) {
    ERR_clear_error();
    int const sent = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) return sent;
    int const wanted = SSL_get_error(tls_.get(), sent);
    return wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE ? would_block : broken;
  }
  auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN ? would_block : broken;
}

void Connection::send(std::string_view bytes) {
  if (socket_ < 0 || is_finishing_) return;
  if (queued() == 0 && state_ == State::open) {
    while (!bytes.empty()) {
      auto const sent = write_some(bytes);
      // A connection that breaks while writing is noticed when it is read.
      if (sent < 0) return;
      if (sent == would_block) break;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    if (bytes.empty()) return;
  }
  waiting_.append(bytes);
}

void Connection::flush() {
  while (queued() > 0) {
    auto const sent = write_some(std::string_view{waiting_}.substr(written_));
    if (sent < 0) return;
    if (sent == would_block) {
      waiting_.erase(0, written_);
      written_ = 0;
      return;
    }
    written_ += static_cast<std::size_t>(sent);
  }
  waiting_.clear();
  written_ = 0;
  if (waiting_.capacity() > kept_buffer_bytes) waiting_.shrink_to_fit();
  if (is_finishing_) close();
}

}  // namespace sim::load
