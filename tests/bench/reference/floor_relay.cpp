// The floor: what any bridge between Twilio and an agent must at least do, and nothing else. One thread, epoll, a
// receive and a send for every message, one copy of the payload, one mask. Audio is found by the fixed shape of its
// message and stays the base64 text that it is. No JSON, no pacing, no signature, no record of anything. The load test
// drives it as it drives Switchboard; what Switchboard costs is told as a multiple of this.
//
//   floor_relay --port 3001 --agent http://127.0.0.1:8800 --agent-id agent_load
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t most_kept = 1U << 20U;  // of a message that came in pieces, or that a slow peer did not take

struct Settings {
  std::uint16_t port = 0;
  sockaddr_in agent{};
  std::string agent_authority;
  std::string agent_id = "agent_load";
};

[[noreturn]] void stop_with(char const* what) {
  std::perror(what);
  std::exit(1);
}

/// A text frame's header, with the mask's key behind it when there is one.
std::size_t write_header(char* out, std::uint8_t opcode, std::size_t length, std::uint32_t const* key) {
  std::size_t at = 0;
  auto const put = [&](std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out[at++] = static_cast<char>(value >> (8 * i));
  };
  std::uint8_t const mask = key ? 0x80 : 0;
  put(0x80U | opcode, 1);
  if (length < 126) {
    put(mask | length, 1);
  } else if (length < 65536) {
    put(mask | 126U, 1);
    put(length, 2);
  } else {
    put(mask | 127U, 1);
    put(length, 8);
  }
  if (key) {
    std::memcpy(out + at, key, 4);
    at += 4;
  }
  return at;
}

void apply_mask(char* bytes, std::size_t length, std::uint32_t key) {
  std::uint64_t const wide = key | (static_cast<std::uint64_t>(key) << 32U);
  std::size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i, 8);
    word ^= wide;
    std::memcpy(bytes + i, &word, 8);
  }
  for (; i < length; ++i) bytes[i] = static_cast<char>(bytes[i] ^ static_cast<char>(key >> (8 * (i % 4))));
}

/// Between `before` and the next quotation mark; empty when it is not there.
std::string_view quoted_after(std::string_view message, std::string_view before) {
  auto const at = message.find(before);
  if (at == std::string_view::npos) return {};
  auto const from = at + before.size();
  return message.substr(from, message.find('"', from) - from);
}

std::string_view digits_after(std::string_view message, std::string_view before) {
  auto const at = message.find(before);
  if (at == std::string_view::npos) return {};
  auto const from = at + before.size();
  return message.substr(from, message.find_first_not_of("0123456789", from) - from);
}

std::string_view header_value(std::string const& head, char const* name) {
  char const* const at = ::strcasestr(head.c_str(), name);
  if (at == nullptr) return {};
  std::string_view rest{at + std::strlen(name)};
  rest = rest.substr(0, rest.find("\r\n"));
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

std::string accept_key(std::string_view key) {
  auto const text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3
  std::array<unsigned char, 20> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 32> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return reinterpret_cast<char*>(base64.data());
}

struct Connection {
  enum class Is { http, caller, agent_connecting, agent_upgrading, agent };
  int fd = -1;
  Is is = Is::http;
  Connection* other = nullptr;
  std::string kept;     // the beginning of a message whose end has not come
  std::string waiting;  // what the peer has not taken, or what waits for its upgrade
  std::string head;     // caller: {"event":"media","streamSid":"MZ…","media":{"payload":"
  std::string stream_sid;
  bool wants_out = false;
  bool closed = false;
};

class Relay {
 public:
  explicit Relay(Settings settings) : settings_{std::move(settings)} {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (epoll_ < 0 || listener_ < 0) stop_with("socket");
    int const on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in here{.sin_family = AF_INET, .sin_port = htons(settings_.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0) stop_with("bind");
    if (::listen(listener_, SOMAXCONN) != 0) stop_with("listen");
    socklen_t size = sizeof here;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD, nullptr);
    std::printf("ready http://127.0.0.1:%u\n", static_cast<unsigned>(ntohs(here.sin_port)));
    std::fflush(stdout);
  }

  void serve() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      int const count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) stop_with("epoll_wait");
      for (int i = 0; i < count; ++i) {
        auto& event = events[static_cast<std::size_t>(i)];
        auto* const connection = static_cast<Connection*>(event.data.ptr);
        if (connection == nullptr)
          accept_all();
        else if (!connection->closed)
          on_event(*connection, event.events);
      }
      // Not sooner: later events of the same batch may point to them.
      for (int const fd : closed_) connections_.erase(fd);
      for (int const fd : closed_) ::close(fd);
      closed_.clear();
    }
  }

 private:
  void watch(int fd, std::uint32_t what, int how, Connection* connection) const {
    epoll_event event{.events = what, .data = {.ptr = connection}};
    ::epoll_ctl(epoll_, how, fd, &event);
  }

  Connection& add(int fd, std::uint32_t what) {
    int const on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto& slot = connections_[fd];
    slot = std::make_unique<Connection>();
    slot->fd = fd;
    slot->wants_out = (what & EPOLLOUT) != 0;
    watch(fd, what, EPOLL_CTL_ADD, slot.get());
    return *slot;
  }

  void accept_all() {
    for (;;) {
      int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      add(fd, EPOLLIN);
    }
  }

  void close(Connection& connection) {
    if (connection.closed) return;
    connection.closed = true;
    closed_.push_back(connection.fd);
    // Shut down now, so that the peer sees the end; the number stays ours until no event can name it.
    ::shutdown(connection.fd, SHUT_RDWR);
    auto* const other = std::exchange(connection.other, nullptr);
    if (other == nullptr) return;
    other->other = nullptr;
    if (other->is == Connection::Is::caller || other->is == Connection::Is::agent) {
      std::uint32_t const key = next_key();
      std::array<char, 16> frame{};
      bool const masked = other->is == Connection::Is::agent;
      auto const size = write_header(frame.data(), 8, 2, masked ? &key : nullptr);
      frame[size] = 1000 >> 8;
      frame[size + 1] = static_cast<char>(1000 & 0xFF);
      if (masked) apply_mask(frame.data() + size, 2, key);
      send(*other, {frame.data(), size + 2});
    }
    close(*other);
  }

  void on_event(Connection& connection, std::uint32_t events) {
    if (connection.is == Connection::Is::agent_connecting) return on_connected(connection);
    if ((events & EPOLLOUT) != 0) flush(connection);
    if (!connection.closed && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(connection);
  }

  void receive(Connection& connection) {
    auto const got = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close(connection);
    char* from = buffer_.data();
    auto size = static_cast<std::size_t>(got);
    std::string joined;
    if (!connection.kept.empty()) {
      joined = std::move(connection.kept);
      joined.append(from, size);
      connection.kept.clear();
      from = joined.data();
      size = joined.size();
    }
    while (size > 0 && !connection.closed) {
      auto const used = take(connection, from, size);
      if (used == 0) break;
      from += used;
      size -= used;
    }
    if (connection.closed) return;
    if (size > most_kept) return close(connection);
    connection.kept.assign(from, size);
  }

  /// Handles what is complete at the front and says how long it was; 0 when more is needed.
  std::size_t take(Connection& connection, char* bytes, std::size_t size) {
    using Is = Connection::Is;
    if (connection.is == Is::caller || connection.is == Is::agent) return take_frame(connection, bytes, size);
    auto const end = std::string_view{bytes, size}.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    std::string const head{bytes, end + 2};
    if (connection.is == Is::agent_upgrading) return on_upgraded(connection, head), end + 4;
    std::size_t body = 0;
    auto const length = header_value(head, "\r\nContent-Length:");
    std::from_chars(length.data(), length.data() + length.size(), body);
    if (body > most_kept) return close(connection), 0;
    if (size < end + 4 + body) return 0;
    on_request(connection, head);
    return end + 4 + body;
  }

  void on_request(Connection& connection, std::string const& head) {
    auto const key = header_value(head, "\r\nSec-WebSocket-Key:");
    if (!key.empty()) {
      connection.is = Connection::Is::caller;
      return send(connection,
                  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Accept: " +
                      accept_key(key) + "\r\n\r\n");
    }
    std::string body;
    if (head.find("/voice-callback") != std::string::npos)
      body = R"(<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="ws://)" +
             std::string{header_value(head, "\r\nHost:")} + R"(/media"/></Connect></Response>)";
    send(connection, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: " + std::to_string(body.size()) +
                         "\r\n\r\n" + body);
  }

  void dial_agent(Connection& caller) {
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return close(caller);
    auto const* const address = reinterpret_cast<sockaddr const*>(&settings_.agent);
    if (::connect(fd, address, sizeof settings_.agent) != 0 && errno != EINPROGRESS) {
      ::close(fd);
      return close(caller);
    }
    auto& agent = add(fd, EPOLLIN | EPOLLOUT);
    agent.is = Connection::Is::agent_connecting;
    agent.other = &caller;
    caller.other = &agent;
  }

  void on_connected(Connection& agent) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(agent.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return close(agent);
    agent.is = Connection::Is::agent_upgrading;
    auto const request = "GET /v1/convai/conversation?agent_id=" + settings_.agent_id +
                         " HTTP/1.1\r\nHost: " + settings_.agent_authority +
                         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Protocol: convai\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // What the caller said meanwhile waits behind it.
    auto const early = std::exchange(agent.waiting, {});
    send(agent, request);
    agent.waiting += early;
  }

  void on_upgraded(Connection& agent, std::string const& head) {
    if (!head.starts_with("HTTP/1.1 101")) return close(agent);
    agent.is = Connection::Is::agent;
    flush(agent);
  }

  std::size_t take_frame(Connection& connection, char* bytes, std::size_t size) {
    if (size < 2) return 0;
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    std::uint64_t length = byte(1) & 0x7FU;
    std::size_t at = 2;
    auto const length_bytes = length == 126 ? 2U : length == 127 ? 8U : 0U;
    if (size < at + length_bytes) return 0;
    if (length_bytes > 0) length = 0;
    for (auto i = 0U; i < length_bytes; ++i) length = length << 8U | byte(at++);
    bool const masked = (byte(1) & 0x80U) != 0;
    if (length > most_kept || (byte(0) & 0x80U) == 0) return close(connection), 0;  // fragments have no fixed shape
    if (size < at + (masked ? 4 : 0) + length) return 0;
    if (masked) {
      std::uint32_t key = 0;
      std::memcpy(&key, bytes + at, 4);
      at += 4;
      apply_mask(bytes + at, length, key);
    }
    std::string_view const message{bytes + at, length};
    on_frame(connection, byte(0) & 0x0FU, message);
    return at + length;
  }

  void on_frame(Connection& connection, unsigned opcode, std::string_view message) {
    bool const from_caller = connection.is == Connection::Is::caller;
    if (opcode == 8) {
      relay(connection, 8, "", message, "");
      return close(connection);
    }
    if (opcode == 9) return relay(connection, 10, "", message, "");
    if (opcode != 1) return;
    if (from_caller)
      on_caller(connection, message);
    else
      on_agent(connection, message);
  }

  void on_caller(Connection& caller, std::string_view message) {
    if (message.starts_with(R"({"event":"media")")) {
      if (caller.other == nullptr) return;
      return relay(*caller.other, 1, R"({"user_audio_chunk":")", quoted_after(message, R"("payload":")"), R"("})");
    }
    if (message.starts_with(R"({"event":"stop")")) return close(caller);
    if (!message.starts_with(R"({"event":"start")") || caller.other != nullptr) return;
    caller.stream_sid = quoted_after(message, R"("streamSid":")");
    caller.head = R"({"event":"media","streamSid":")" + caller.stream_sid + R"(","media":{"payload":")";
    dial_agent(caller);
    if (caller.closed) return;
    relay(*caller.other, 1, R"({"type":"conversation_initiation_client_data","dynamic_variables":{"call_sid":")",
          quoted_after(message, R"("callSid":")"), R"("}})");
  }

  void on_agent(Connection& agent, std::string_view message) {
    auto& caller = *agent.other;
    if (auto const audio = quoted_after(message, R"("audio_base_64":")"); !audio.empty())
      return relay(caller, 1, caller.head, audio, R"("}})");
    if (message.starts_with(R"({"type":"ping")") || message.find(R"("type":"ping")") != std::string_view::npos)
      return relay(agent, 1, R"({"type":"pong","event_id":)", digits_after(message, R"("event_id":)"), "}");
    if (message.find(R"("type":"interruption")") != std::string_view::npos)
      relay(caller, 1, R"({"event":"clear","streamSid":")", caller.stream_sid, R"("})");
  }

  std::uint32_t next_key() {
    key_ ^= key_ << 13U;
    key_ ^= key_ >> 17U;
    key_ ^= key_ << 5U;
    return key_;
  }

  /// One frame out of three pieces, masked when it goes to the agent.
  void relay(Connection& to, std::uint8_t opcode, std::string_view head, std::string_view body, std::string_view tail) {
    auto const length = head.size() + body.size() + tail.size();
    if (frame_.size() < length + 16) frame_.resize(length + 16);
    bool const masked = to.is != Connection::Is::caller;
    std::uint32_t const key = masked ? next_key() : 0;
    auto const at = write_header(frame_.data(), opcode, length, masked ? &key : nullptr);
    char* out = frame_.data() + at;
    for (auto const piece : {head, body, tail}) {
      if (!piece.empty()) std::memcpy(out, piece.data(), piece.size());
      out += piece.size();
    }
    if (masked) apply_mask(frame_.data() + at, length, key);
    send(to, {frame_.data(), at + length});
  }

  void send(Connection& to, std::string_view bytes) {
    if (to.closed) return;
    bool const not_open = to.is == Connection::Is::agent_connecting ||
                          (to.is == Connection::Is::agent_upgrading && !bytes.starts_with("GET "));
    if (to.waiting.empty() && !not_open) {
      auto const sent = ::send(to.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0)
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      else if (errno != EAGAIN)
        return close(to);
      if (bytes.empty()) return;
    }
    if (to.waiting.size() + bytes.size() > most_kept) return close(to);
    to.waiting += bytes;
    if (!not_open) want_out(to, true);
  }

  void flush(Connection& connection) {
    if (connection.is == Connection::Is::agent_upgrading) return want_out(connection, false);
    if (!connection.waiting.empty()) {
      auto const sent = ::send(connection.fd, connection.waiting.data(), connection.waiting.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return close(connection);
      if (sent > 0) connection.waiting.erase(0, static_cast<std::size_t>(sent));
    }
    want_out(connection, !connection.waiting.empty());
  }

  void want_out(Connection& connection, bool wanted) {
    if (connection.wants_out == wanted) return;
    connection.wants_out = wanted;
    watch(connection.fd, EPOLLIN | (wanted ? EPOLLOUT : 0U), EPOLL_CTL_MOD, &connection);
  }

  Settings settings_;
  int epoll_ = -1;
  int listener_ = -1;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::vector<int> closed_;
  std::array<char, 65536> buffer_{};
  std::string frame_;
  std::uint32_t key_ = 0x9E3779B9;
};

Settings read_arguments(int argc, char** argv) {
  Settings settings;
  std::string agent;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string_view const name = argv[i];
    if (name == "--port") settings.port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    if (name == "--agent") agent = argv[i + 1];
    if (name == "--agent-id") settings.agent_id = argv[i + 1];
  }
  constexpr std::string_view scheme = "http://";
  auto const colon = agent.rfind(':');
  if (!agent.starts_with(scheme) || colon <= scheme.size()) {
    std::fprintf(stderr, "floor_relay [--port N] --agent http://127.0.0.1:PORT [--agent-id ID]\n");
    std::exit(2);
  }
  settings.agent_authority = agent.substr(scheme.size());
  settings.agent.sin_family = AF_INET;
  settings.agent.sin_port = htons(static_cast<std::uint16_t>(std::atoi(agent.c_str() + colon + 1)));
  auto const host = agent.substr(scheme.size(), colon - scheme.size());
  if (::inet_pton(AF_INET, host.c_str(), &settings.agent.sin_addr) != 1) stop_with("--agent needs an IPv4 address");
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  auto settings = read_arguments(argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Relay relay{std::move(settings)};
  relay.serve();
}
