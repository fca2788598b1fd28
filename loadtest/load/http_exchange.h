#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "gateway/net/url.h"
#include "loadtest/load/wire.h"

namespace sim::load {

/// A server that calls go to: its address looked up once.
struct Place {
  net::Url url;
  sockaddr_in address{};
  SSL_CTX* tls = nullptr;  ///< Set when the scheme is a secure one.

  /// Throws std::runtime_error with a sentence.
  static Place find(net::Url url, SSL_CTX* tls);
};

struct HttpAnswer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

/// Reads one answer as it arrives: by length, in chunks, or until the connection ends.
class AnswerReader {
 public:
  /// The answer once it is complete; a broken one has status 0.
  std::optional<HttpAnswer> take(std::string_view bytes);
  std::optional<HttpAnswer> end();

 private:
  std::optional<HttpAnswer> look(bool ended);

  std::string received_;
};

/// Hears how a request went; status 0 when there was no answer, with the reason as body.
class HttpEvents {
 public:
  virtual void on_answer(HttpAnswer answer) = 0;

 protected:
  ~HttpEvents() = default;
};

/// One HTTP request at a time, each on a connection of its own, without blocking.
class HttpExchange final : ConnectionEvents {
 public:
  HttpExchange(Wires& wires, HttpEvents& events) : connection_{wires, *this}, events_{events} {}

  /// `head` is the request line and header fields without the last, empty line.
  void ask(Place const& place, std::string_view head, std::string_view body);
  void give_up() { connection_.close(); }
  bool is_busy() const { return connection_.is_open(); }

 private:
  void on_connected(Connection& connection) override;
  void on_bytes(Connection& connection, std::span<char> bytes) override;
  void on_gone(Connection& connection, std::string_view why) override;
  void answer(HttpAnswer answer);

  Connection connection_;
  HttpEvents& events_;
  std::string request_;
  AnswerReader reader_;
};

}  // namespace sim::load
