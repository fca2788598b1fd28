#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "crm/model/call_record.h"

namespace crm {

/// A moment as an agent names it: digits of a clock, and how far that clock is from UTC when it says so. Without that
/// it is the tenant's clock.
struct NamedTime {
  std::chrono::local_seconds clock;
  std::optional<std::chrono::seconds> utc_offset;
};

/// "2026-03-31T09:00", with or without seconds and fraction, then nothing, "Z" or "+hh:mm"; a space may stand for the
/// T. Nothing when it is no such time.
std::optional<NamedTime> parse_time(std::string_view text);
/// Only the day of a date or time.
std::optional<std::chrono::local_days> parse_day(std::string_view text);

/// The moment, if the clock's distance from UTC is known.
std::optional<Wall> moment_of(NamedTime const& time);

/// "2026-03-31".
std::string iso_day(std::chrono::local_days day);
/// "2026-03-31T09:00:00".
std::string iso_clock(std::chrono::local_seconds clock);
/// "2026-03-31T09:00:00-04:00", the clock of a zone that is `utc_offset` from UTC then.
std::string iso_local(Wall when, std::chrono::seconds utc_offset);
/// "Tuesday, March 31 at 9:00 AM".
std::string spoken(Wall when, std::chrono::seconds utc_offset);
/// "Tuesday, March 31".
std::string spoken_day(std::chrono::local_days day);

}  // namespace crm
