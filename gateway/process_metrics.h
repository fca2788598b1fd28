#pragma once
#include "gateway/base/metrics.h"

namespace gateway {

/// What the kernel says of this process, under the names that every Prometheus client uses.
class ProcessMetrics {
 public:
  explicit ProcessMetrics(base::Metrics& metrics);
  /// Looks again. One thread at a time.
  void refresh();

 private:
  prometheus::Counter& cpu_;
  prometheus::Gauge& resident_;
  prometheus::Gauge& open_;
  prometheus::Gauge& most_open_;
};

}  // namespace gateway
