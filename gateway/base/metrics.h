#pragma once
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace base {

/// The process's counters. Asking twice for the same name and labels gives the same object; ask once at construction
/// and keep the reference, which lives as long as this. Thread safe. Names start with "switchboard_".
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  prometheus::Counter& counter(std::string const& name, std::string const& help, Labels const& labels = {});
  prometheus::Gauge& gauge(std::string const& name, std::string const& help, Labels const& labels = {});
  prometheus::Histogram& histogram(std::string const& name, std::string const& help, std::vector<double> const& buckets,
                                   Labels const& labels = {});
  /// The Prometheus text format of everything registered.
  std::string expose() const;

 private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

}  // namespace base
