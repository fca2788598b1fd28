#include "gateway/net/framed_socket.h"

#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "gateway/base/fetch_ahead.h"

namespace net::websocket {
namespace {

constexpr unsigned control_frames_a_second = 100;
constexpr auto close_limit = std::chrono::seconds{1};
/// One connection's share of a turn; a peer that sends more lets the others go first.
constexpr std::size_t bytes_a_turn = 256 * 1024;
constexpr int reads_a_turn = 64;
/// The most that OpenSSL puts into one record and may ask for again.
constexpr std::size_t tls_record_bytes = 16 * 1024;
/// Longer than any call; keeps a sum of time points from overflowing.
constexpr std::chrono::milliseconds longest_idle = std::chrono::hours{24};

}  // namespace

FramedSocket::FramedSocket(RawStream stream, Role role, WebSocketSettings const& settings,
                           asio::any_io_executor const& executor, std::string early)
    : loop_{SocketLoop::of(executor)},
      stream_{std::move(stream)},
      role_{role},
      last_heard_{SocketLoop::Clock::now()},
      early_{early.empty() ? nullptr : std::make_unique<std::string>(std::move(early))},
      queue_{loop_},
      reader_{role, settings.max_message_bytes},
      settings_{settings},
      over_{executor, asio::steady_timer::time_point::max()} {
  settings_.idle_timeout = std::min(settings_.idle_timeout, longest_idle);
}

FramedSocket::~FramedSocket() {
  if (is_watched_) loop_.remove(stream_.socket(), *this);
  loop_.forget(*this);
}

// ---- life

base::Async<WebSocketClosed> FramedSocket::run(WebSocketSink& sink) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  sink_ = &sink;
  bool const wanted = state_ != State::over && stop.cancelled() == asio::cancellation_type::none;
  if (wanted) {
    is_watched_ = loop_.add(stream_.socket(), *this);
    last_heard_ = SocketLoop::Clock::now();
    plan_wake_up();
    // The poller does not tell of what came with the handshake, or waits inside TLS.
    loop_.read_again(*this);
    if (!is_watched_) end(1006, "the socket cannot be watched");
  }
  while (state_ != State::over && stop.cancelled() == asio::cancellation_type::none)
    (void)co_await over_.async_wait(base::quietly);
  if (state_ != State::over) end(1006, "cancelled");
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (closing_) (void)co_await over_.async_wait(base::quietly);
  co_return *outcome_;
}

base::Async<> FramedSocket::close(std::uint16_t code, std::string reason) {
  if (state_ != State::open || closing_) co_return;
  closing_ = true;
  goodbye_ = {code, std::move(reason), false};
  said_goodbye_ = true;
  queue_close(code, goodbye_.reason);
  state_ = State::closing;
  give_up_at_ = loop_.now() + close_limit;
  plan_wake_up();
  co_await asio::this_coro::reset_cancellation_state();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  while (state_ != State::over && stop.cancelled() == asio::cancellation_type::none)
    (void)co_await over_.async_wait(base::quietly);
  closing_ = false;
  abort();
  over_.cancel();
}

void FramedSocket::abort() {
  // What was sent before counts as sent, as far as the kernel takes it without waiting.
  if (state_ != State::over && !blocked_since_) flush();
  end(1006, "dropped by us");
}

/// The first reason stands.
void FramedSocket::decide(std::uint16_t code, std::string reason, bool by_peer) {
  if (!outcome_) outcome_ = WebSocketClosed{code, std::move(reason), by_peer};
}

void FramedSocket::end(std::uint16_t code, std::string reason) {
  if (state_ == State::over) return;
  decide(code, std::move(reason), false);
  state_ = State::over;
  if (std::exchange(is_watched_, false)) loop_.remove(stream_.socket(), *this);
  loop_.forget(*this);
  queue_.clear();
  stream_.reset();
  over_.cancel();
}

/// Everything has been said: our last words go out, then our direction is closed, and the rest is up to the peer.
void FramedSocket::linger() {
  state_ = State::lingering;
  give_up_at_ = loop_.now() + close_limit;
  plan_wake_up();
  loop_.flush_soon(*this);
}

// ---- from the peer

void FramedSocket::on_ready(std::uint32_t events) {
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
  if (blocked_since_) flush();
}

void FramedSocket::read(bool peer_has_ended) {
  if (early_ && state_ != State::over) {
    auto const early = std::exchange(early_, nullptr);
    take(*early);
  }
  std::size_t seen = 0;
  for (int reads = 0; state_ != State::over; ++reads) {
    if (seen >= bytes_a_turn || reads >= reads_a_turn) {
      loop_.read_again(*this);
      return;
    }
    auto const buffer = loop_.read_buffer();
    std::size_t bytes = 0;
    // Asked for here, what hears the message is there when the system call comes back.
    base::fetch_ahead(sink_, 3);
    auto const received = receive(buffer, bytes);
    if (received == Received::nothing) return;
    if (received == Received::the_end) {
      end(1006, "connection lost");
      return;
    }
    seen += bytes;
    last_heard_ = loop_.now();
    pinged_ = false;
    if (is_stuck(last_heard_)) {
      end(1006, "peer stopped reading");
      return;
    }
    sink_->on_soon();
    if (state_ != State::lingering) take(buffer.first(bytes));
    // A short read empties a stream: asking again would cost a system call to hear that.
    if (!stream_.tls() && bytes < buffer.size() && !peer_has_ended) return;
  }
}

FramedSocket::Received FramedSocket::receive(std::span<char> into, std::size_t& bytes) {
  if (auto* const tls = stream_.tls()) {
    ERR_clear_error();
    auto const got = SSL_read_ex(tls, into.data(), into.size(), &bytes);
    if (got == 1) return Received::some;
    auto const why = SSL_get_error(tls, got);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? Received::nothing : Received::the_end;
  }
  for (;;) {
    auto const got = ::recv(stream_.socket(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) {
      bytes = static_cast<std::size_t>(got);
      return Received::some;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Received::nothing : Received::the_end;
  }
}

void FramedSocket::take(std::span<char> bytes) {
  auto const violation = reader_.take(bytes, *this);
  if (!violation || state_ == State::over) return;
  decide(violation->code, std::string{violation->what}, false);
  if (state_ == State::open) queue_close(violation->code, {});
  linger();
}

bool FramedSocket::on_message(Opcode opcode, std::string_view message) {
  try {
    if (opcode == Opcode::text)
      sink_->on_text(message);
    else
      sink_->on_binary(message.size());
  } catch (...) {
    end(1006, "the message handler failed");
  }
  return state_ != State::over;
}

bool FramedSocket::on_ping(std::string_view payload) {
  if (!may_go_on_after_control()) return false;
  if (state_ != State::open) return true;
  queue_.push_first(Opcode::pong, payload, key());
  loop_.flush_soon(*this);
  return true;
}

bool FramedSocket::on_pong(std::string_view) {
  return may_go_on_after_control();
}

bool FramedSocket::on_close(std::uint16_t code, std::string_view reason) {
  if (said_goodbye_) {
    decide(goodbye_.code, goodbye_.reason, false);
    if (queue_.empty())
      end(goodbye_.code, {});
    else
      linger();
    return false;
  }
  decide(code, std::string{reason}, true);
  queue_close(code, {});
  linger();
  return false;
}

/// Each ping costs us a pong: a peer that sends little else is dropped.
bool FramedSocket::may_go_on_after_control() {
  auto const now = loop_.now();
  if (now - control_window_ > std::chrono::seconds{1}) {
    control_window_ = now;
    control_frames_ = 0;
  }
  if (++control_frames_ <= control_frames_a_second) return true;
  end(1006, "too many control frames");
  return false;
}

// ---- to the peer

std::optional<MaskKey> FramedSocket::key() {
  if (role_ == Role::server) return std::nullopt;
  return loop_.mask_key();
}

base::Result<> FramedSocket::enqueue(Opcode opcode, std::string_view payload, bool first) {
  if (state_ != State::open) return base::fail(base::Fault::unavailable, "connection is closed");
  if (is_stuck(loop_.now())) {
    end(1006, "peer stopped reading");
    return base::fail(base::Fault::unavailable, "peer stopped reading");
  }
  if (queue_.payload_bytes() + payload.size() > settings_.max_queued_bytes)
    return base::fail(base::Fault::too_large, "send queue is full");
  if (first)
    queue_.push_first(opcode, payload, key());
  else
    queue_.push(opcode, payload, key());
  loop_.flush_soon(*this);
  return {};
}

void FramedSocket::queue_close(std::uint16_t code, std::string_view reason) {
  queue_.push(Opcode::close, code == 1005 ? std::string{} : close_payload(code, reason), key());
  loop_.flush_soon(*this);
}

void FramedSocket::drop_queued() {
  // Behind a close frame nothing waits that could be dropped without it.
  if (state_ == State::open) queue_.drop();
}

void FramedSocket::flush() {
  while (!queue_.empty()) {
    auto const written = transmit(queue_.unwritten());
    if (!written) return;
    queue_.wrote(*written);
    blocked_since_.reset();
  }
  if (state_ != State::lingering) return;
  if (stream_.tls()) (void)SSL_shutdown(stream_.tls());
  (void)::shutdown(stream_.socket(), SHUT_WR);
}

/// How much the socket took; nothing when it is full (on_ready() will come) or broken.
std::optional<std::size_t> FramedSocket::transmit(std::string_view bytes) {
  bool is_full = false;
  if (auto* const tls = stream_.tls()) {
    ERR_clear_error();
    std::size_t taken = 0;
    auto const done = SSL_write_ex(tls, bytes.data(), bytes.size(), &taken);
    if (done == 1) return taken;
    auto const why = SSL_get_error(tls, done);
    is_full = why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ;
    if (is_full) queue_.pin(std::min(bytes.size(), tls_record_bytes));
  } else {
    auto const taken = ::send(stream_.socket(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken >= 0) return static_cast<std::size_t>(taken);
    if (errno == EINTR) return 0;
    is_full = errno == EAGAIN || errno == EWOULDBLOCK;
  }
  if (!is_full) {
    end(1006, "connection lost");
    return std::nullopt;
  }
  if (!blocked_since_) {
    blocked_since_ = loop_.now();
    plan_wake_up();
  }
  return std::nullopt;
}

// ---- limits

bool FramedSocket::is_stuck(SocketLoop::Instant now) const {
  return blocked_since_ && now - *blocked_since_ > settings_.write_timeout;
}

/// What is heard later than planned for moves nothing: on_due() looks again.
void FramedSocket::plan_wake_up() {
  auto next = last_heard_ + (pinged_ ? settings_.idle_timeout : settings_.idle_timeout / 2);
  if (give_up_at_) next = std::min(next, *give_up_at_);
  if (blocked_since_) next = std::min(next, *blocked_since_ + settings_.write_timeout + std::chrono::milliseconds{1});
  loop_.wake_at(*this, next);
}

void FramedSocket::on_due(SocketLoop::Instant now) {
  if (give_up_at_ && now >= *give_up_at_) {
    end(1006, "the peer did not close");
    return;
  }
  if (is_stuck(now)) {
    end(1006, "peer stopped reading");
    return;
  }
  auto const silence = now - last_heard_;
  if (silence >= settings_.idle_timeout) {
    end(1006, "nothing heard for too long");
    return;
  }
  if (silence >= settings_.idle_timeout / 2 && !pinged_) {
    pinged_ = true;
    if (state_ == State::open) queue_.push_first(Opcode::ping, {}, key());
    loop_.flush_soon(*this);
  }
  plan_wake_up();
}

}  // namespace net::websocket
