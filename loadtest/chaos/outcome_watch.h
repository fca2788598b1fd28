#pragma once
#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "loadtest/chaos/gateway.h"
#include "loadtest/chaos/history.h"

namespace sim::chaos {

/// Writes down when the outcome of each call appears in the gateway's database, as another connection sees it:
/// committed, at most a pause of 50 ms, one query and one line of psql ago. Looks on a thread of its own until it is
/// destroyed; a database that is away is looked for again.
class OutcomeWatch {
 public:
  /// Both must outlive it.
  OutcomeWatch(Gateway const& gateway, History& history);
  ~OutcomeWatch();
  OutcomeWatch(OutcomeWatch const&) = delete;
  OutcomeWatch& operator=(OutcomeWatch const&) = delete;

  /// It has asked the database, and was answered, at least once.
  bool is_looking() const { return looking_.load(std::memory_order_acquire); }

 private:
  void look();
  void note(std::string const& line);

  Gateway const& gateway_;
  History& history_;
  std::set<std::string> seen_;  // CallSids
  std::atomic<bool> looking_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace sim::chaos
