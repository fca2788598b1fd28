#pragma once
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <string>

#include "gateway/net/form.h"
#include "loadtest/sim/twilio/exchange.h"

namespace sim::twilio {

/// Delivers one call's status callbacks beside the call, in order unless the plan wants faults.
class Callbacks {
 public:
  Callbacks(Exchange& exchange, CallPlan const& plan, Journal& journal)
      : exchange_{exchange}, plan_{plan}, journal_{journal}, bell_{exchange.executor} {}

  void post(std::string method, std::string url, net::Form params, std::string label);
  /// No more will be posted; deliver() returns once the last is answered.
  void close();
  base::Async<> deliver();

 private:
  struct Callback {
    std::string method;
    std::string url;
    net::Form params;
    std::string label;
  };
  base::Async<> deliver_one(Callback callback);
  bool is_waiting_for_a_pair() const { return plan_.callbacks.reordered && waiting_.size() == 1 && !closed_; }

  Exchange& exchange_;
  CallPlan const& plan_;
  Journal& journal_;
  asio::steady_timer bell_;
  std::deque<Callback> waiting_;
  bool closed_ = false;
};

}  // namespace sim::twilio
