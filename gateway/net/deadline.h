#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>

#include "gateway/base/async.h"

namespace net {

/// Cancels what a socket waits for when the time is up; the socket stays open for a last answer. A deadline that is
/// moved later costs no timer operation, since the running timer looks again when it fires.
class Deadline {
 public:
  explicit Deadline(asio::ip::tcp::socket& socket);
  ~Deadline();
  Deadline(Deadline const&) = delete;
  Deadline& operator=(Deadline const&) = delete;

  void set(std::chrono::steady_clock::duration from_now);
  void clear();
  bool passed() const;

 private:
  struct State;
  static void run(std::shared_ptr<State> const& state);
  std::shared_ptr<State> state_;
};

}  // namespace net
