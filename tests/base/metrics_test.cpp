#include "gateway/base/metrics.h"

#include <gmock/gmock.h>

namespace {

using testing::HasSubstr;

TEST(Metrics, expose_the_prometheus_text_format) {
  base::Metrics metrics;
  metrics.counter("switchboard_calls_total", "Calls.", {{"ending", "hung_up"}}).Increment(3);
  metrics.gauge("switchboard_calls", "Calls now.").Set(2);
  auto& latency = metrics.histogram("switchboard_latency_seconds", "Latency.", {0.001, 0.01});
  latency.Observe(0.0005);
  latency.Observe(0.5);
  auto const text = metrics.expose();
  EXPECT_THAT(text, HasSubstr("# HELP switchboard_calls_total Calls.\n# TYPE switchboard_calls_total counter\n"
                              "switchboard_calls_total{ending=\"hung_up\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE switchboard_calls gauge\nswitchboard_calls 2\n"));
  EXPECT_THAT(text, HasSubstr("switchboard_latency_seconds_bucket{le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("switchboard_latency_seconds_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("switchboard_latency_seconds_count 2\n"));
}

TEST(Metrics, give_the_same_object_for_the_same_name_and_labels) {
  base::Metrics metrics;
  auto& one = metrics.counter("switchboard_x_total", "X.", {{"a", "1"}});
  auto& other = metrics.counter("switchboard_x_total", "X.", {{"a", "2"}});
  EXPECT_EQ(&one, &metrics.counter("switchboard_x_total", "X.", {{"a", "1"}}));
  EXPECT_NE(&one, &other);
  auto& first = metrics.histogram("switchboard_h", "H.", {1, 2});
  EXPECT_EQ(&first, &metrics.histogram("switchboard_h", "H.", {1, 2}));
}

TEST(Metrics, escape_label_values) {
  base::Metrics metrics;
  metrics.counter("switchboard_y_total", "Y.", {{"path", "a\"b\\c\nd"}}).Increment();
  EXPECT_THAT(metrics.expose(), HasSubstr(R"(switchboard_y_total{path="a\"b\\c\nd"} 1)"));
}

}  // namespace
