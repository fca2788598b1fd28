#include "gateway/net/websocket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <optional>

#include "gateway/net/name_lookup.h"
#include "gateway/net/tls.h"

namespace beast = boost::beast;

namespace net {

using Tcp = asio::ip::tcp;
using Tls = asio::ssl::stream<Tcp::socket>;

std::shared_ptr<TlsClient> make_tls_client() {
  return std::make_shared<TlsClient>();
}

namespace {

using namespace asio::experimental::awaitable_operators;

constexpr unsigned control_frames_a_second = 100;

/// One Beast stream. Writes are chained by completion handlers instead of a coroutine: a frame then costs one operation
/// and no wake-up. `run` returns only after the last handler, so handlers may hold `this`.
template <class Stream>
class BeastWebSocket final : public WebSocket {
 public:
  BeastWebSocket(beast::websocket::stream<Stream> stream, WebSocketSettings const& settings)
      : stream_{std::move(stream)},
        settings_{settings},
        idle_{stream_.get_executor()},
        read_no_more_{stream_.get_executor(), asio::steady_timer::time_point::max()} {
    stream_.text(true);
    stream_.control_callback([this](beast::websocket::frame_type, std::string_view) { count_control_frame(); });
  }

  base::Async<WebSocketClosed> run(WebSocketSink& sink) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const stop = co_await asio::this_coro::cancellation_state;
    WebSocketClosed closed{1006, "cancelled", false};
    if (stop.cancelled() == asio::cancellation_type::none) co_await (read_all(sink, closed) || aborted());
    abort();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (writing_ || closing_) {
      idle_.expires_at(asio::steady_timer::time_point::max());
      (void)co_await idle_.async_wait(base::quietly);
    }
    if (said_goodbye_) co_return WebSocketClosed{*said_goodbye_, goodbye_reason_, false};
    co_return closed;
  }

  base::Result<> send(std::string_view text) override { return enqueue(text, Kind::text, /*first=*/false); }
  base::Result<> send_first(std::string_view text) override { return enqueue(text, Kind::text, /*first=*/true); }
  base::Result<> send_binary(std::string_view bytes) override { return enqueue(bytes, Kind::binary, /*first=*/false); }
  std::size_t queued_bytes() const override { return queued_; }
  void drop_queued() override {
    waiting_.clear();
    queued_ = writing_ ? sending_.size() : 0;
  }

  base::Async<> close(std::uint16_t code, std::string reason) override {
    if (aborted_ || closing_) co_return;
    closing_ = true;
    co_await asio::this_coro::reset_cancellation_state();
    co_await (say_goodbye(code, std::move(reason)) || abort_after(std::chrono::seconds{1}));
    closing_ = false;
    abort();
    idle_.cancel();
  }

  void abort() override {
    if (aborted_) return;
    aborted_ = true;
    waiting_.clear();
    queued_ = writing_ ? sending_.size() : 0;
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
    read_no_more_.expires_at(asio::steady_timer::time_point::min());
  }

 private:
  base::Async<> read_all(WebSocketSink& sink, WebSocketClosed& closed) {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      auto [error, bytes] = co_await stream_.async_read(buffer_, base::quietly);
      if (error) {
        closed = describe(error);
        co_return;
      }
      bool const delivered = deliver(sink);
      buffer_.consume(buffer_.size());
      // One TCP segment can hold many messages: what follows our own abort is not wanted any more.
      if (aborted_)
        closed = {1006, dropped_for_, false};
      else if (!delivered)
        closed = {1006, "the message handler failed", false};
      else if (write_is_stuck())
        closed = {1006, "peer stopped reading", false};
      else
        continue;
      co_return;
    }
  }

  bool deliver(WebSocketSink& sink) {
    auto const data = buffer_.cdata();
    try {
      if (stream_.got_text())
        sink.on_text({static_cast<char const*>(data.data()), data.size()});
      else
        sink.on_binary(data.size());
      return true;
    } catch (...) {
      return false;
    }
  }

  /// Returns when aborted or cancelled, and so ends the read beside it both ways: a cancellation can fall between two
  /// steps inside Beast and be lost there, but not a closed socket; and a read may wait inside Beast for a lock that a
  /// cancelled close has kept, where it does not notice that the socket is closed.
  base::Async<> aborted() {
    co_await asio::this_coro::throw_if_cancelled(false);
    (void)co_await read_no_more_.async_wait(base::quietly);
    abort();
  }

  base::Async<> abort_after(std::chrono::steady_clock::duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer timer{stream_.get_executor(), limit};
    (void)co_await timer.async_wait(base::quietly);
    abort();
  }

  base::Async<> say_goodbye(std::uint16_t code, std::string reason) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (writing_ && !aborted_) {
      idle_.expires_at(asio::steady_timer::time_point::max());
      (void)co_await idle_.async_wait(base::quietly);
    }
    if (aborted_) co_return;
    goodbye_reason_ = fitting(std::move(reason));
    goodbye_code_ = code;
    // With a callback a read lets other handlers run before it notes the peer's close frame. Our close, ending its
    // write just then, would wait for the read, which waits for our close (Beast 1.81, read_some_op and close_op).
    stream_.control_callback();
    auto [error] =
        co_await stream_.async_close({static_cast<beast::websocket::close_code>(code), goodbye_reason_}, base::quietly);
    if (!error) said_goodbye_ = code;
  }

  /// A close frame holds 123 bytes of reason (RFC 6455, 5.5), and half a character would make it invalid.
  static std::string fitting(std::string reason) {
    constexpr std::size_t most = 123;
    if (reason.size() <= most) return reason;
    auto end = most;
    while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80) --end;
    reason.resize(end);
    return reason;
  }

  /// Each ping costs us a pong: a peer that sends little else is dropped.
  void count_control_frame() {
    auto const now = std::chrono::steady_clock::now();
    if (now - control_window_ > std::chrono::seconds{1}) {
      control_window_ = now;
      control_frames_ = 0;
    }
    if (++control_frames_ <= control_frames_a_second) return;
    dropped_for_ = "too many control frames";
    abort();
  }

  bool write_is_stuck() const {
    return writing_ && std::chrono::steady_clock::now() - write_started_ > settings_.write_timeout;
  }

  enum class Kind : bool { text, binary };
  struct Message {
    std::string bytes;
    Kind kind;
  };

  base::Result<> enqueue(std::string_view text, Kind kind, bool first) {
    if (aborted_ || closing_) return base::fail(base::Fault::unavailable, "connection is closed");
    if (write_is_stuck()) {
      dropped_for_ = "peer stopped reading";
      abort();
      return base::fail(base::Fault::unavailable, "peer stopped reading");
    }
    if (queued_ + text.size() > settings_.max_queued_bytes)
      return base::fail(base::Fault::too_large, "send queue is full");
    std::string message;
    if (!spare_.empty()) {
      message = std::move(spare_.back());
      spare_.pop_back();
    }
    message.assign(text);
    queued_ += message.size();
    if (first)
      waiting_.push_front({std::move(message), kind});
    else
      waiting_.push_back({std::move(message), kind});
    if (!writing_) write_next();
    return {};
  }

  void write_next() {
    if (waiting_.empty() || aborted_) {
      queued_ = 0;
      if (closing_ || aborted_) idle_.cancel();
      return;
    }
    sending_ = std::move(waiting_.front().bytes);
    stream_.text(waiting_.front().kind == Kind::text);
    waiting_.pop_front();
    writing_ = true;
    write_started_ = std::chrono::steady_clock::now();
    // The handler may outlive us when the whole event loop is torn down.
    auto on_written = [this, alive = std::weak_ptr{alive_}](boost::system::error_code error, std::size_t) {
      if (!alive.expired()) written(error);
    };
    stream_.async_write(asio::buffer(sending_), std::move(on_written));
  }

  void written(boost::system::error_code error) {
    writing_ = false;
    queued_ -= std::min(queued_, sending_.size());
    if (spare_.size() < 4) spare_.push_back(std::move(sending_));
    if (error) abort();
    write_next();
  }

  WebSocketClosed describe(boost::system::error_code error) {
    if (error == beast::websocket::error::closed) {
      // An answer to our own close frame.
      if (goodbye_code_) return {*goodbye_code_, goodbye_reason_, false};
      auto const& reason = stream_.reason();
      auto const code = static_cast<std::uint16_t>(reason.code);
      return {code == 0 ? std::uint16_t{1005} : code, std::string{reason.reason.data(), reason.reason.size()}, true};
    }
    if (aborted_) return {1006, dropped_for_, false};
    // Beast has sent the close frame for these (RFC 6455, 7.4.1).
    if (error == beast::websocket::error::message_too_big) return {1009, "message too big", false};
    if (error == beast::websocket::error::bad_frame_payload) return {1007, error.message(), false};
    if (error.category() == make_error_code(beast::websocket::error::bad_opcode).category())
      return {1002, error.message(), false};
    return {1006, error.message(), false};
  }

  beast::websocket::stream<Stream> stream_;
  WebSocketSettings settings_;
  beast::flat_buffer buffer_;
  std::deque<Message> waiting_;
  std::vector<std::string> spare_;  // emptied messages keep their storage for the next ones
  std::string sending_;
  std::size_t queued_ = 0;
  std::chrono::steady_clock::time_point write_started_;
  asio::steady_timer idle_;          // rung when a write ends during close or abort
  asio::steady_timer read_no_more_;  // expires with an abort
  std::chrono::steady_clock::time_point control_window_;
  unsigned control_frames_ = 0;
  std::string dropped_for_ = "dropped by us";
  std::optional<std::uint16_t> goodbye_code_;  // of the close frame we have begun to send
  std::optional<std::uint16_t> said_goodbye_;  // of the close frame that the peer has answered
  std::string goodbye_reason_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  bool writing_ = false;
  bool closing_ = false;
  bool aborted_ = false;
};

template <class Stream>
void configure(beast::websocket::stream<Stream>& stream, WebSocketSettings const& settings) {
  beast::websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = settings.handshake_timeout;
  timeout.idle_timeout = settings.idle_timeout;
  timeout.keep_alive_pings = true;
  stream.set_option(timeout);
  stream.read_message_max(settings.max_message_bytes);
  stream.auto_fragment(false);  // one message, one frame: not every peer puts fragments together
  boost::system::error_code ignored;
  beast::get_lowest_layer(stream).set_option(Tcp::no_delay(true), ignored);
}

base::Fault fault_of(boost::system::error_code error) {
  if (error == asio::error::operation_aborted) return base::Fault::cancelled;
  if (error == beast::websocket::error::upgrade_declined) return base::Fault::refused;
  if (error.category() == make_error_code(beast::websocket::error::bad_opcode).category()) return base::Fault::protocol;
  return base::Fault::unavailable;
}

template <class Stream>
base::Async<base::Result<std::unique_ptr<WebSocket>>> upgrade(beast::websocket::stream<Stream> stream, Url const& url,
                                                              Headers const& headers,
                                                              WebSocketSettings const& settings) {
  configure(stream, settings);
  stream.set_option(beast::websocket::stream_base::decorator([&headers](beast::websocket::request_type& request) {
    for (auto const& [name, value] : headers) request.set(name, value);
  }));
  std::string target = url.path.empty() ? "/" : url.path;
  if (!url.query.empty()) target += "?" + url.query;
  beast::websocket::response_type response;
  auto const authority = url.authority();
  auto [error] = co_await stream.async_handshake(response, authority, target, base::quietly);
  if (error == beast::websocket::error::upgrade_declined)
    co_return base::fail(base::Fault::refused, "upgrade answered with status " + std::to_string(response.result_int()));
  if (error) co_return base::fail(fault_of(error), "upgrade: " + error.message());
  stream.set_option(beast::websocket::stream_base::decorator([](beast::websocket::request_type&) {}));
  co_return std::make_unique<BeastWebSocket<Stream>>(std::move(stream), settings);
}

base::Async<base::Result<std::unique_ptr<WebSocket>>> dial(Url const& url, Headers const& headers,
                                                           WebSocketSettings const& settings, TlsClient& tls) {
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
  if (url.scheme == "ws" || url.scheme == "http") {
    beast::websocket::stream<Tcp::socket> stream{std::move(socket)};
    auto opened = co_await upgrade(std::move(stream), url, headers, settings);
    co_return opened;
  }
  auto state = tls.make(url.host);
  if (!state) co_return std::unexpected{state.error()};
  Tls secure{std::move(socket), state->release()};
  auto [tls_error] = co_await secure.async_handshake(asio::ssl::stream_base::client, base::quietly);
  if (is_given_up()) co_return given_up;
  if (tls_error) co_return base::fail(fault_of(tls_error), "TLS: " + tls_error.message());
  beast::websocket::stream<Tls> stream{std::move(secure)};
  auto opened = co_await upgrade(std::move(stream), url, headers, settings);
  co_return opened;
}

}  // namespace

base::Async<base::Result<std::unique_ptr<WebSocket>>> connect_websocket(Url url, Headers headers,
                                                                        WebSocketSettings settings, TlsClient& tls,
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

PendingUpgrade::PendingUpgrade(PendingUpgrade&& other) noexcept
    : request_{std::move(other.request_)}, socket_{std::exchange(other.socket_, -1)} {}

PendingUpgrade::~PendingUpgrade() {
  if (socket_ >= 0) ::close(socket_);
}

namespace {

base::Result<Tcp::socket> adopt(asio::any_io_executor executor, int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return base::fail(base::Fault::unavailable, "connection is gone");
  Tcp::socket socket{executor};
  boost::system::error_code error;
  socket.assign(address.ss_family == AF_INET6 ? Tcp::v6() : Tcp::v4(), descriptor, error);
  if (error) return base::fail(base::Fault::unavailable, error.message());
  return socket;
}

}  // namespace

base::Async<base::Result<std::unique_ptr<WebSocket>>> PendingUpgrade::accept(WebSocketSettings settings,
                                                                             std::string subprotocol) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto socket = adopt(co_await asio::this_coro::executor, socket_);
  if (!socket) co_return std::unexpected{socket.error()};
  socket_ = -1;
  beast::http::request<beast::http::empty_body> request{beast::http::verb::get, request_.target, 11};
  for (auto const& [name, value] : request_.headers) request.insert(name, value);
  beast::websocket::stream<Tcp::socket> stream{std::move(*socket)};
  configure(stream, settings);
  if (!subprotocol.empty()) {
    stream.set_option(
        beast::websocket::stream_base::decorator([&subprotocol](beast::websocket::response_type& response) {
          response.set(beast::http::field::sec_websocket_protocol, subprotocol);
        }));
  }
  auto [error] = co_await stream.async_accept(request, base::quietly);
  if (!subprotocol.empty())
    stream.set_option(beast::websocket::stream_base::decorator([](beast::websocket::response_type&) {}));
  if (error) co_return base::fail(fault_of(error), "upgrade: " + error.message());
  co_return std::make_unique<BeastWebSocket<Tcp::socket>>(std::move(stream), settings);
}

base::Async<> PendingUpgrade::refuse(Response response) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto socket = adopt(co_await asio::this_coro::executor, socket_);
  if (!socket) co_return;
  socket_ = -1;
  if (!is_sendable(response.headers))
    response = error_response(500, "INTERNAL_ERROR", "the request could not be answered");
  beast::http::response<beast::http::string_body> answer{static_cast<beast::http::status>(response.status), 11};
  for (auto const& [name, value] : response.headers) answer.set(name, value);
  answer.set(beast::http::field::connection, "close");
  answer.body() = std::move(response.body);
  answer.prepare_payload();
  asio::steady_timer limit{socket->get_executor(), std::chrono::seconds{2}};
  co_await (beast::http::async_write(*socket, answer, base::quietly) || limit.async_wait(base::quietly));
  boost::system::error_code ignored;
  socket->shutdown(Tcp::socket::shutdown_both, ignored);
}

}  // namespace net
