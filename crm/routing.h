#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crm/model/voice_agent.h"
#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"

namespace crm {

/// Where a dialled number leads, and under which limits.
struct NumberRoute {
  std::string number;  ///< E.164
  base::TenantId tenant;
  std::string tenant_name;
  std::string tenant_timezone;
  int max_concurrent_calls = 0;
  bool tenant_active = true;
  VoiceAgent agent;
};

/// An immutable picture of all numbers; any thread may read it.
class RoutingTable {
 public:
  RoutingTable() = default;
  explicit RoutingTable(std::vector<NumberRoute> routes);
  /// Empty when nobody has that number.
  std::shared_ptr<NumberRoute const> find(std::string_view e164) const;
  std::size_t size() const { return routes_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::shared_ptr<NumberRoute const>, Hash, std::equal_to<>> routes_;
};

/// Keeps the newest RoutingTable in memory, so that answering a call needs no database: when that is away, the last
/// picture stays. Runs on the back office; table() may be called from any thread.
class RoutingFeed {
 public:
  RoutingFeed(pg::Pool& pool, base::TimeSource& time, base::Log log, base::Metrics& metrics,
              base::TimeSource::Clock::duration interval = std::chrono::seconds{1});

  /// Looks whether routes have changed and loads them if so; true when they had. The first call always loads.
  base::Async<base::Result<bool>> refresh(base::Instant deadline);
  /// Refreshes every interval until cancelled.
  base::Async<> follow();
  /// Never null.
  std::shared_ptr<RoutingTable const> table() const { return table_.load(std::memory_order_acquire); }

 private:
  pg::Pool& pool_;
  base::TimeSource& time_;
  base::Log log_;
  prometheus::Gauge& numbers_;
  prometheus::Counter& failures_;
  base::TimeSource::Clock::duration interval_;
  std::atomic<std::shared_ptr<RoutingTable const>> table_;
  std::int64_t version_ = 0;
};

}  // namespace crm
