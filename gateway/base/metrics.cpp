#include "gateway/base/metrics.h"

#include <prometheus/text_serializer.h>

namespace base {

prometheus::Counter& Metrics::counter(std::string const& name, std::string const& help, Labels const& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Gauge& Metrics::gauge(std::string const& name, std::string const& help, Labels const& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Histogram& Metrics::histogram(std::string const& name, std::string const& help,
                                          std::vector<double> const& buckets, Labels const& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_).Add(labels, buckets);
}

std::string Metrics::expose() const {
  std::scoped_lock const lock{exposing_};
  for (auto const& refresh : refreshers_) refresh();
  return prometheus::TextSerializer{}.Serialize(registry_->Collect());
}

}  // namespace base
