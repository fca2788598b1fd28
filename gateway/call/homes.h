#pragma once
#include <functional>
#include <vector>

#include "gateway/call/calls.h"

namespace gateway {

/// Where a call lives. Everything about one call happens on one core, chosen by its CallSid, so that webhooks and
/// sockets which arrive anywhere find it without a directory.
struct Home {
  asio::any_io_executor executor;
  Calls* calls = nullptr;
};

class Homes {
 public:
  void add(Home home) { homes_.push_back(std::move(home)); }
  std::size_t index_of(base::CallSid const& sid) const { return std::hash<base::CallSid>{}(sid) % homes_.size(); }
  std::size_t size() const { return homes_.size(); }
  Home const& at(std::size_t index) const { return homes_[index]; }
  Home const& of(base::CallSid const& sid) const { return homes_[index_of(sid)]; }

 private:
  std::vector<Home> homes_;
};

}  // namespace gateway
