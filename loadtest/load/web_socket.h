#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "gateway/net/websocket_frame.h"
#include "loadtest/load/http_exchange.h"

namespace sim::load {

/// The value of Sec-WebSocket-Accept for a key (RFC 6455, 4.2.2).
std::string accept_for(std::string_view key);

/// Hears about one client WebSocket.
class SocketEvents {
 public:
  virtual void on_upgraded() = 0;
  virtual void on_text(std::string_view message) = 0;
  /// It is over: refused, closed or broken. `code` is the close code, 1006 when there was none, the HTTP status of a
  /// refused upgrade.
  virtual void on_closed(unsigned code, std::string_view why) = 0;

 protected:
  ~SocketEvents() = default;
};

/// The client end of a WebSocket, as a telephone carrier holds it.
class ClientSocket final : ConnectionEvents, net::websocket::MessageSink {
 public:
  ClientSocket(Wires& wires, SocketEvents& events)
      : connection_{wires, *this}, events_{events}, reader_{net::websocket::Role::client, 1 << 20} {}

  /// `fields` are further header fields, each with its line end.
  void open(Place const& place, std::string_view target, std::string_view fields);
  /// Text for which everything is prepared: `header_room` bytes of room, then 126 to 65,535 of payload. The frame
  /// header is written into the room, the payload is masked in place.
  static constexpr std::size_t header_room = 8;
  void send_prepared(std::span<char> room_and_payload);
  void send_text(std::string_view message);
  /// Says goodbye; on_closed follows when the peer has answered.
  void close(std::uint16_t code);
  void drop();

  bool is_open() const { return is_upgraded_ && !is_closing_; }
  std::size_t queued() const { return connection_.queued(); }

 private:
  void on_connected(Connection& connection) override;
  void on_bytes(Connection& connection, std::span<char> bytes) override;
  void on_gone(Connection& connection, std::string_view why) override;
  bool on_message(net::websocket::Opcode opcode, std::string_view message) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view) override { return true; }
  bool on_close(std::uint16_t code, std::string_view reason) override;
  bool read_answer(std::span<char>& bytes);
  net::websocket::MaskKey new_key();
  void end(unsigned code, std::string_view why);

  Connection connection_;
  SocketEvents& events_;
  net::websocket::MessageReader reader_;
  std::string request_;
  std::string accept_;
  std::string head_;
  std::string scratch_;
  bool is_upgraded_ = false;
  bool is_closing_ = false;
  std::uint64_t dice_ = 0;
};

}  // namespace sim::load
