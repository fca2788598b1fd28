#pragma once
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/net/raw_stream.h"
#include "gateway/net/send_queue.h"
#include "gateway/net/socket_loop.h"
#include "gateway/net/websocket.h"
#include "gateway/net/websocket_frame.h"

namespace net::websocket {

/// A WebSocket on a socket of its own, read and written without an asynchronous operation a message: Beast's stream and
/// Asio's operations together cost more than the system calls of a frame, which is nearly all that is left here.
class FramedSocket final : public WebSocket, private SocketLoop::Connection, private MessageSink {
 public:
  /// `early` are bytes of frames that came with the handshake.
  FramedSocket(RawStream stream, Role role, WebSocketSettings const& settings, asio::any_io_executor const& executor,
               std::string early);
  ~FramedSocket() override;

  base::Async<WebSocketClosed> run(WebSocketSink& sink) override;
  base::Result<> send(std::string_view text) override { return enqueue(Opcode::text, text, /*first=*/false); }
  base::Result<> send_first(std::string_view text) override { return enqueue(Opcode::text, text, /*first=*/true); }
  base::Result<> send_binary(std::string_view bytes) override { return enqueue(Opcode::binary, bytes, false); }
  std::size_t queued_bytes() const override { return queue_.payload_bytes(); }
  void drop_queued() override;
  base::Async<> close(std::uint16_t code, std::string reason) override;
  void abort() override;

 private:
  enum class State {
    open,
    closing,    ///< Our close frame is queued or sent; the peer's is awaited.
    lingering,  ///< All is said. Reading on, so that the kernel does not reset our last words away.
    over,
  };
  enum class Received { some, nothing, the_end };

  void on_ready(std::uint32_t events) override;
  void flush() override;
  void on_due(SocketLoop::Instant now) override;
  bool on_message(Opcode opcode, std::string_view message) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view payload) override;
  bool on_close(std::uint16_t code, std::string_view reason) override;

  void read(bool peer_has_ended);
  Received receive(std::span<char> into, std::size_t& bytes);
  void take(std::span<char> bytes);
  std::optional<std::size_t> transmit(std::string_view bytes);
  base::Result<> enqueue(Opcode opcode, std::string_view payload, bool first);
  void queue_close(std::uint16_t code, std::string_view reason);
  bool may_go_on_after_control();
  void linger();
  void decide(std::uint16_t code, std::string reason, bool by_peer);
  void end(std::uint16_t code, std::string reason);
  bool is_stuck(SocketLoop::Instant now) const;
  void plan_wake_up();
  std::optional<MaskKey> key();

  // What every message touches comes first and lies together: with thousands of connections the cost of a message is
  // the cache lines it has to fetch.
  SocketLoop& loop_;
  WebSocketSink* sink_ = nullptr;
  RawStream stream_;
  State state_ = State::open;
  Role role_;
  bool pinged_ = false;
  SocketLoop::Instant last_heard_;
  std::optional<SocketLoop::Instant> blocked_since_;  // the peer takes nothing
  std::unique_ptr<std::string> early_;                // frames that came with the handshake
  SendQueue queue_;
  MessageReader reader_;

  WebSocketSettings settings_;
  asio::steady_timer over_;  // never expires; cancelled when the connection is over
  std::optional<WebSocketClosed> outcome_;
  WebSocketClosed goodbye_;  // what close() says
  bool is_watched_ = false;
  bool said_goodbye_ = false;
  bool closing_ = false;                           // a close() waits
  std::optional<SocketLoop::Instant> give_up_at_;  // the peer says nothing more
  SocketLoop::Instant control_window_{};
  unsigned control_frames_ = 0;
};

}  // namespace net::websocket
