#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/socket_loop.h"
#include "gateway/net/websocket_frame.h"

namespace net::websocket {

/// Messages that wait to be written, as wire bytes with their borders. Owns no memory while nothing waits.
class SendQueue {
 public:
  explicit SendQueue(SocketLoop& loop) : loop_{loop} {}

  bool empty() const { return bytes_.empty(); }
  /// Of texts and binaries that have not been written whole.
  std::size_t payload_bytes() const { return payload_; }
  void push(Opcode opcode, std::string_view payload, std::optional<MaskKey> key);
  /// Ahead of all but a message of which a part has been written.
  void push_first(Opcode opcode, std::string_view payload, std::optional<MaskKey> key);
  /// Forgets every message of which nothing has been written.
  void drop();
  void clear();

  std::string_view unwritten() const { return std::string_view{bytes_}.substr(written_); }
  void wrote(std::size_t bytes);
  /// The first `bytes` of unwritten() were offered to TLS, which wants to see them again.
  void pin(std::size_t bytes) { pinned_ = written_ + bytes; }

 private:
  struct Message {
    std::size_t end;      // in bytes_
    std::size_t payload;  // 0 for control frames
  };
  /// How many messages from the front have begun to be written.
  std::size_t begun() const;

  SocketLoop& loop_;
  std::string bytes_;  // one of the loop's buffers
  std::vector<Message> messages_;
  std::size_t front_ = 0;  // where the first of messages_ begins in bytes_
  std::size_t written_ = 0;
  std::size_t pinned_ = 0;
  std::size_t payload_ = 0;
};

}  // namespace net::websocket
