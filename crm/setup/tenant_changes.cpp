#include "crm/setup/tenant_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crm/pg/storable_text.h"
#include "gateway/base/text.h"
#include "gateway/base/zone.h"

namespace crm {
namespace {

using Faults = std::vector<std::string>;

constexpr std::size_t longest_name = 200;
constexpr std::size_t most_hours_a_day = 12;

/// What a person reads back in a fault: short, and without control characters.
std::string in_quotes(std::string_view text) {
  std::string shown;
  for (char const c : text.substr(0, 60)) shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return fmt::format("'{}'", pg::storable_text(shown));
}

void set_name(std::optional<std::string> const& given, Tenant& tenant, Faults& faults) {
  if (!given) return;
  if (base::trimmed(*given).empty())
    faults.emplace_back("a tenant needs a name");
  else if (given->size() > longest_name)
    faults.push_back(fmt::format("name: longer than {} bytes", longest_name));
  else
    tenant.name = pg::storable_text(*given);
}

void set_industry(std::optional<std::string> const& given, Tenant& tenant, Faults& faults) {
  if (!given) return;
  if (given->size() > longest_name)
    faults.push_back(fmt::format("industry: longer than {} bytes", longest_name));
  else
    tenant.industry = base::trimmed(*given).empty() ? std::nullopt : std::optional{pg::storable_text(*given)};
}

void set_timezone(std::optional<std::string> const& given, Tenant& tenant, Faults& faults) {
  if (!given) return;
  if (base::local_time({}, *given))
    tenant.timezone = *given;
  else
    faults.push_back(fmt::format("there is no time zone {}", in_quotes(*given)));
}

void set_status(std::optional<std::string> const& given, Tenant& tenant, Faults& faults) {
  if (!given) return;
  if (*given == "active" || *given == "suspended")
    tenant.active = *given == "active";
  else
    faults.push_back(fmt::format("status: {} is not active or suspended", in_quotes(*given)));
}

/// The limits are those of the schema.
void set_number(std::optional<int> const& given, std::string_view name, int least, int most, int& value,
                Faults& faults) {
  if (!given) return;
  if (*given >= least && *given <= most)
    value = *given;
  else
    faults.push_back(fmt::format("{}: {} is not between {} and {}", name, *given, least, most));
}

void set_calling_hours(std::optional<std::string> const& given, Tenant& tenant, Faults& faults) {
  if (!given) return;
  if (auto const hours = parse_hours(*given))
    tenant.calling_hours = *hours;
  else
    faults.push_back(fmt::format("calling hours: {} is not FROM-TO of one day, like 08:00-21:00", in_quotes(*given)));
}

struct DayHours {
  std::size_t day = 0;
  std::vector<HoursOfDay> hours;
};

std::optional<DayHours> read_day(std::string_view text, Faults& faults) {
  auto const equals = text.find('=');
  auto const name = text.substr(0, equals);
  auto const day = std::ranges::find(day_names, name);
  if (equals == std::string_view::npos || day == day_names.end()) {
    faults.push_back(
        fmt::format("hours: {} does not begin with a day, like mon=09:00-12:00,13:00-17:00", in_quotes(text)));
    return std::nullopt;
  }
  DayHours result{.day = static_cast<std::size_t>(day - day_names.begin()), .hours = {}};
  auto rest = text.substr(equals + 1);
  if (rest == "closed") return result;
  for (bool more = true; more;) {
    auto const comma = rest.find(',');
    auto const piece = rest.substr(0, comma);
    auto const hours = parse_hours(piece);
    if (!hours) {
      faults.push_back(
          fmt::format("hours: {} of {} is not FROM-TO of one day, like 09:00-12:00", in_quotes(piece), name));
      return std::nullopt;
    }
    result.hours.push_back(*hours);
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  std::ranges::sort(result.hours, {}, &HoursOfDay::from);
  if (auto const both = overlap_in(result.hours)) {
    faults.push_back(
        fmt::format("hours: {} and {} of {} overlap", hours_text(both->front()), hours_text(both->back()), name));
    return std::nullopt;
  }
  if (result.hours.size() > most_hours_a_day) {
    faults.push_back(fmt::format("hours: more than {} openings on {}", most_hours_a_day, name));
    return std::nullopt;
  }
  return result;
}

void set_opening_hours(std::vector<std::string> const& given, Tenant& tenant, Faults& faults) {
  std::array<bool, day_names.size()> seen{};
  for (auto const& text : given) {
    auto const read = read_day(text, faults);
    if (!read) continue;
    if (std::exchange(seen.at(read->day), true))
      faults.push_back(fmt::format("hours: {} is given twice", day_names.at(read->day)));
    else
      tenant.opening.days.at(read->day) = read->hours;
  }
}

}  // namespace

bool TenantChanges::empty() const {
  bool const numbers = max_concurrent_calls || slot_minutes || lead_minutes || booking_days || confirm_by_sms;
  return !numbers && !name && !industry && !timezone && !status && !calling_hours && opening_hours.empty();
}

std::vector<std::string> apply(TenantChanges const& changes, Tenant& tenant) {
  Faults faults;
  set_name(changes.name, tenant, faults);
  set_industry(changes.industry, tenant, faults);
  set_timezone(changes.timezone, tenant, faults);
  set_status(changes.status, tenant, faults);
  set_opening_hours(changes.opening_hours, tenant, faults);
  set_calling_hours(changes.calling_hours, tenant, faults);
  set_number(changes.max_concurrent_calls, "max concurrent calls", 1, 100'000, tenant.max_concurrent_calls, faults);
  set_number(changes.slot_minutes, "slot minutes", 5, 480, tenant.slot_minutes, faults);
  set_number(changes.lead_minutes, "lead minutes", 0, 43'200, tenant.lead_minutes, faults);
  set_number(changes.booking_days, "booking days", 1, 366, tenant.booking_days, faults);
  if (changes.confirm_by_sms) tenant.confirm_by_sms = *changes.confirm_by_sms;
  return faults;
}

std::vector<std::string> differences(Tenant const& before, Tenant const& after) {
  std::vector<std::string> names;
  auto const note = [&](bool differs, char const* name) {
    if (differs) names.emplace_back(name);
  };
  note(before.name != after.name, "name");
  note(before.timezone != after.timezone, "timezone");
  note(before.industry != after.industry, "industry");
  note(before.active != after.active, "status");
  note(before.max_concurrent_calls != after.max_concurrent_calls, "max_concurrent_calls");
  note(before.opening != after.opening, "opening_hours");
  note(before.slot_minutes != after.slot_minutes, "slot_minutes");
  note(before.lead_minutes != after.lead_minutes, "lead_minutes");
  note(before.booking_days != after.booking_days, "booking_days");
  note(before.calling_hours != after.calling_hours, "calling_hours");
  note(before.confirm_by_sms != after.confirm_by_sms, "confirm_by_sms");
  return names;
}

}  // namespace crm
