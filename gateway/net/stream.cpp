#include "gateway/net/stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <system_error>

#include "gateway/net/handshake_thread.h"
#include "gateway/net/tls.h"

namespace net {

using Tcp = asio::ip::tcp;

namespace {

std::unexpected<base::Error> failed(boost::system::error_code error) {
  if (error == asio::error::operation_aborted) return base::fail(base::Fault::cancelled, "cancelled");
  return base::fail(base::Fault::unavailable, error.message());
}

/// How a TLS operation went.
struct Verdict {
  enum class Kind { done, wants_read, wants_write, failed } kind;
  std::string detail;
};

/// On the thread that did the operation, whose errors OpenSSL keeps for that thread alone.
Verdict judge(SSL* tls, int result, int system_error) {
  using Kind = Verdict::Kind;
  switch (SSL_get_error(tls, result)) {
    case SSL_ERROR_NONE:
      return {Kind::done, {}};
    case SSL_ERROR_WANT_READ:
      return {Kind::wants_read, {}};
    case SSL_ERROR_WANT_WRITE:
      return {Kind::wants_write, {}};
    case SSL_ERROR_ZERO_RETURN:
      return {Kind::failed, "TLS: the peer has closed the connection"};
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      if (system_error == 0) return {Kind::failed, "TLS: the peer has closed the connection"};
      return {Kind::failed, "TLS: " + std::generic_category().message(system_error)};
    default:
      return {Kind::failed, "TLS: " + tls_reason(tls)};
  }
}

template <class Step>
Verdict attempt(SSL* tls, Step& step) {
  ERR_clear_error();
  errno = 0;
  int const result = step();
  return judge(tls, result, errno);
}

}  // namespace

Stream::Stream(Tcp::socket socket) : socket_{std::move(socket)} {
  boost::system::error_code ignored;  // a socket that is gone says so at its first use
  socket_.native_non_blocking(true, ignored);
}

base::Result<Stream> Stream::adopt(asio::any_io_executor executor, RawStream raw) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(raw.socket(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return base::fail(base::Fault::unavailable, "connection is gone");
  Tcp::socket socket{executor};
  boost::system::error_code error;
  socket.assign(address.ss_family == AF_INET6 ? Tcp::v6() : Tcp::v4(), raw.socket(), error);
  if (error) return base::fail(base::Fault::unavailable, error.message());
  Stream stream{std::move(socket)};
  stream.tls_ = raw.release().second;
  return stream;
}

/// Tries `step`, waits for what TLS wants, and tries again until it succeeds. Gives other work of the loop a turn after
/// it, as an operation on a plain socket does; else a peer that never pauses would keep the loop for itself.
template <class Step>
base::Async<base::Result<>> Stream::until_done(Step step, HandshakeThread* thread) {
  using Kind = Verdict::Kind;
  auto const stop = co_await asio::this_coro::cancellation_state;
  bool has_waited = thread != nullptr;
  for (;;) {
    Verdict verdict;
    if (thread != nullptr) {
      bool const attempted = co_await thread->run([&] { verdict = attempt(tls_.get(), step); });
      if (!attempted) co_return base::fail(base::Fault::cancelled, "cancelled");
    } else {
      verdict = attempt(tls_.get(), step);
    }
    if (verdict.kind == Kind::done) break;
    if (verdict.kind == Kind::failed) co_return base::fail(base::Fault::unavailable, verdict.detail);
    // A wait that has just ended does not feel a cancellation, and the next one would last without a limit.
    if (stop.cancelled() != asio::cancellation_type::none) co_return base::fail(base::Fault::cancelled, "cancelled");
    auto const what = verdict.kind == Kind::wants_read ? Tcp::socket::wait_read : Tcp::socket::wait_write;
    auto [error] = co_await socket_.async_wait(what, base::quietly);
    if (error) co_return failed(error);
    has_waited = true;
  }
  if (!has_waited) co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  co_return base::Result<>{};
}

base::Async<base::Result<>> Stream::handshake(SslPtr tls, HandshakeThread* thread) {
  co_await asio::this_coro::throw_if_cancelled(false);
  tls_ = std::move(tls);
  attach(*tls_, socket_.native_handle());
  auto done = co_await until_done([this] { return SSL_do_handshake(tls_.get()); }, thread);
  co_return done;
}

base::Async<base::Result<std::size_t>> Stream::read_some(std::span<char> into) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!tls_) {
    auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), base::quietly);
    if (error == asio::error::eof) co_return std::size_t{0};
    if (error) co_return failed(error);
    co_return bytes;
  }
  std::size_t bytes = 0;
  auto done = co_await until_done([&] { return SSL_read_ex(tls_.get(), into.data(), into.size(), &bytes); });
  bool const has_ended = (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  if (!done && !has_ended) co_return std::unexpected{done.error()};
  co_return bytes;
}

base::Async<base::Result<>> Stream::write(std::string_view bytes) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!tls_) {
    auto [error, count] = co_await asio::async_write(socket_, asio::buffer(bytes), base::quietly);
    if (error) co_return failed(error);
    co_return base::Result<>{};
  }
  while (!bytes.empty()) {
    std::size_t written = 0;
    auto done = co_await until_done([&] { return SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &written); });
    if (!done) co_return done;
    bytes.remove_prefix(written);
  }
  co_return base::Result<>{};
}

void Stream::end_writing() {
  if (tls_ && SSL_is_init_finished(tls_.get())) {
    ERR_clear_error();
    (void)SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  boost::system::error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
}

RawStream Stream::release() {
  boost::system::error_code ignored;
  int const socket = socket_.release(ignored);
  return RawStream{socket, std::move(tls_)};
}

}  // namespace net
