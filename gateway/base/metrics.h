#pragma once
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace base {

/// The process's counters. Asking twice for the same name and labels gives the same object; ask once at construction
/// and keep the reference, which lives as long as this. Thread safe. Names start with "switchboard_", except those
/// that all of Prometheus's clients share.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  prometheus::Counter& counter(std::string const& name, std::string const& help, Labels const& labels = {});
  prometheus::Gauge& gauge(std::string const& name, std::string const& help, Labels const& labels = {});
  prometheus::Histogram& histogram(std::string const& name, std::string const& help, std::vector<double> const& buckets,
                                   Labels const& labels = {});
  /// `refresh` brings numbers up to date that are only worth a look when somebody asks; called by expose(), one call at
  /// a time. Before the first expose().
  void before_exposing(std::function<void()> refresh) { refreshers_.push_back(std::move(refresh)); }
  /// The Prometheus text format of everything registered.
  std::string expose() const;

 private:
  std::vector<std::function<void()>> refreshers_;
  mutable std::mutex exposing_;
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

}  // namespace base
