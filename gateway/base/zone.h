#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/time_source.h"

namespace base {

/// A moment as the clocks of a place show it.
struct LocalTime {
  std::chrono::local_seconds time;  ///< Whole seconds; the rest is cut off.
  std::chrono::seconds offset;      ///< East of Greenwich, as it was in force then.
};

/// By the rules of an IANA time zone ("America/New_York") from the system's zone files. Fault::not_found when there is
/// no such zone here. Any thread; the first look at a zone reads its file.
Result<LocalTime> local_time(TimeSource::Wall when, std::string_view zone);
/// When the clocks of the zone show that: the first time at or after `not_before`. A time that they skip is when they
/// jump; nothing when it comes only before. Fault::not_found when there is no such zone here. Any thread.
Result<std::optional<TimeSource::Wall>> moment_at(std::chrono::local_seconds clock, std::string_view zone,
                                                  TimeSource::Wall not_before);
/// local_time() in UTC.
LocalTime utc_time(TimeSource::Wall when);

/// "2026-03-29T02:30:00+02:00".
std::string iso8601(LocalTime const& local);
/// "Sunday, March 29, 2026".
std::string date_in_words(LocalTime const& local);

}  // namespace base
