#pragma once
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "gateway/call/call.h"
#include "gateway/call/loop_watch.h"

namespace gateway {

enum class Refusal { draining, full, tenant_full, overloaded };

/// How many calls the process and each tenant may have. Shared by all cores; asked twice in a call's life, so one lock
/// serves.
class Capacity {
 public:
  explicit Capacity(std::size_t most_calls) : most_calls_{most_calls} {}

  /// Takes a place, or says why not.
  std::optional<Refusal> take(base::TenantId const& tenant, int most_of_tenant);
  void give_back(base::TenantId const& tenant);
  /// From now on every call is refused.
  void stop();
  bool is_stopped() const;
  std::size_t live() const;

 private:
  mutable std::mutex mutex_;
  std::size_t most_calls_;
  std::size_t live_ = 0;
  bool stopped_ = false;
  std::unordered_map<base::TenantId, int> by_tenant_;
};

/// The calls of one core, by CallSid.
class Calls {
 public:
  /// `loop` is the one that `executor` runs on.
  Calls(asio::any_io_executor executor, CallServices services, Capacity& capacity, LoopWatch const& loop);

  Call* find(base::CallSid const& sid);
  /// True for some minutes after a call has ended: its late webhooks must not begin another.
  bool ended_lately(base::CallSid const& sid) const { return ended_.contains(std::hash<base::CallSid>{}(sid)); }
  /// Begins a call, or returns the one of that sid that is under way. A call that an earlier process served has a
  /// caller on the line already: it is taken however late the loop is.
  std::expected<Call*, Refusal> begin(CallPlan plan);
  std::size_t size() const { return calls_.size(); }
  /// Lets calls end by themselves for `grace`, then ends them; returns when the last record is handed to the ledger.
  base::Async<> drain(base::TimeSource::Clock::duration grace);
  /// Cuts the grace of a drain under way.
  void hurry() { hurried_ = true; }

 private:
  std::optional<Refusal> take_place(CallPlan const& plan);
  base::Async<> live(Call& call);
  void forget(base::CallSid const& sid);

  static constexpr std::size_t most_remembered = 20000;
  static constexpr auto remembered_for = std::chrono::minutes{5};

  asio::any_io_executor executor_;
  CallServices services_;
  Capacity& capacity_;
  LoopWatch const& loop_;
  std::unordered_map<base::CallSid, std::unique_ptr<Call>> calls_;
  // As hashes: thousands of calls end in minutes.
  std::unordered_set<std::size_t> ended_;
  std::deque<std::pair<base::Instant, std::size_t>> ended_order_;
  base::TaskGroup tasks_;
  bool hurried_ = false;
};

}  // namespace gateway
