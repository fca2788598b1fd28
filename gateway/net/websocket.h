#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/async.h"
#include "gateway/net/http.h"
#include "gateway/net/tls.h"
#include "gateway/net/url.h"

namespace net {

struct WebSocketSettings {
  std::size_t max_message_bytes = 64 * 1024;  ///< A larger message ends the connection with close code 1009.
  std::size_t max_queued_bytes = 512 * 1024;  ///< Bytes that may wait to be written; send() fails beyond.
  std::chrono::milliseconds handshake_timeout{5000};
  std::chrono::milliseconds idle_timeout{20000};   ///< Nothing received for this long (pings go out at half) ends it.
  std::chrono::milliseconds write_timeout{10000};  ///< A peer that stops reading for this long is dropped.
};

/// Hears what arrives; called on the connection's own thread, one call at a time. Views last until the call returns.
class WebSocketSink {
 public:
  virtual ~WebSocketSink() = default;
  virtual void on_text(std::string_view message) = 0;
  virtual void on_binary(std::size_t /*bytes*/) {}
  /// A message has been received and is about to be read: time to ask the memory for what it will touch.
  virtual void on_soon() {}
};

/// How a connection ended. `code` is the peer's or our close code, 1006 when the connection broke without one.
struct WebSocketClosed {
  std::uint16_t code = 1006;
  std::string reason;
  bool by_peer = false;
};

/// One WebSocket connection of either role, without compression. Not thread safe: lives on one core.
/// Order of use: obtain, run() (which may be started before or after the first send()), close() or abort(), and destroy
/// only after run() has returned.
class WebSocket {
 public:
  virtual ~WebSocket() = default;

  /// Reads until the connection ends, handing each message to `sink`. Never throws. On cancellation the connection is
  /// dropped. Returns when nothing is pending any more.
  virtual base::Async<WebSocketClosed> run(WebSocketSink& sink) = 0;

  /// Queues one text message (copied); it leaves with all that is sent in the same turn of the event loop.
  /// Fault::unavailable when closed or when the peer has stopped reading, Fault::too_large when max_queued_bytes would
  /// be passed; the message is then dropped.
  virtual base::Result<> send(std::string_view text) = 0;
  /// Like send(), ahead of everything that waits; for answers that a peer times, such as pongs.
  virtual base::Result<> send_first(std::string_view text) = 0;
  /// Queues one binary message. Neither vendor speaks binary; simulators send it to see that it is survived.
  virtual base::Result<> send_binary(std::string_view /*bytes*/) {
    return base::fail(base::Fault::refused, "this connection sends text only");
  }
  virtual std::size_t queued_bytes() const = 0;
  /// Forgets the messages that wait; one that has been written in part stays.
  virtual void drop_queued() = 0;

  /// Sends a close frame after what is queued and waits up to one second for the peer's; then drops the connection.
  virtual base::Async<> close(std::uint16_t code, std::string reason) = 0;
  /// Drops the connection at once, without a close frame and without waiting for a peer that does not read. run() then
  /// returns.
  virtual void abort() = 0;
};

/// One with the system's trust store.
/// See TlsClient.
std::shared_ptr<TlsClient> make_tls_client(std::filesystem::path const& extra_authority = {});

/// Opens a client connection to a ws:// or wss:// URL. `timeout` bounds name lookup, TCP, TLS and upgrade together.
/// Fault::refused when the server answers another status than 101 (the status is in the detail), Fault::timed_out,
/// Fault::unavailable for network errors.
base::Async<base::Result<std::unique_ptr<WebSocket>>> connect_websocket(Url url, Headers headers,
                                                                        WebSocketSettings settings, TlsClient& tls,
                                                                        std::chrono::milliseconds timeout);

/// A connection whose upgrade request has been read but not answered. May be moved to another core's thread and
/// accepted there; closes the connection when dropped.
class PendingUpgrade {
 public:
  PendingUpgrade(Request request, RawStream stream) : request_{std::move(request)}, stream_{std::move(stream)} {}

  Request const& request() const { return request_; }
  /// Answers 101 and hands over the connection, on the executor of the awaiting coroutine. `subprotocol`, when not
  /// empty, is echoed as the one chosen from those the client offered.
  base::Async<base::Result<std::unique_ptr<WebSocket>>> accept(WebSocketSettings settings,
                                                               std::string subprotocol = {});
  /// Answers with a plain HTTP response and closes.
  base::Async<> refuse(Response response);

 private:
  Request request_;
  RawStream stream_;
};

}  // namespace net
