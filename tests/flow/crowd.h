#pragma once
// Many connections that say something and then nothing more.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace outside {

class Crowd {
 public:
  explicit Crowd(std::uint16_t port) : port_{port} {}
  ~Crowd() { leave(); }
  Crowd(Crowd const&) = delete;
  Crowd& operator=(Crowd const&) = delete;

  /// Throws std::runtime_error when a connection cannot be made.
  void come(std::size_t count, std::string_view words) {
    for (std::size_t i = 0; i < count; ++i) {
      int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (socket < 0) throw std::runtime_error{"no socket left for the test"};
      sockets_.push_back(socket);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port_);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (::connect(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
        throw std::runtime_error{"nobody takes the connection"};
      (void)::send(socket, words.data(), words.size(), MSG_NOSIGNAL);
    }
  }
  std::size_t size() const { return sockets_.size(); }
  void leave() {
    for (int const socket : sockets_) ::close(socket);
    sockets_.clear();
  }

 private:
  std::uint16_t port_;
  std::vector<int> sockets_;
};

}  // namespace outside
