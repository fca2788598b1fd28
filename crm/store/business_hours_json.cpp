#include "crm/store/business_hours_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace crm {
namespace {

using nlohmann::json;

/// Also "09:00:00", which means the same to PostgreSQL.
std::optional<std::chrono::minutes> clock_in(json const& value) {
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.get_ref<std::string const&>();
  if (text.size() > 3 && text.ends_with(":00") && std::ranges::count(text, ':') == 2) text.remove_suffix(3);
  return parse_clock(text);
}

std::optional<HoursOfDay> hours_between(json const& from, json const& to) {
  auto const begin = clock_in(from);
  auto const end = clock_in(to);
  if (!begin || !end || *begin >= *end) return std::nullopt;
  return HoursOfDay{*begin, *end};
}

}  // namespace

std::string opening_hours_json(OpeningHours const& hours) {
  auto days = json::object();
  for (std::size_t day = 0; day < day_names.size(); ++day) {
    auto of_day = json::array();
    for (auto const& each : hours.days.at(day)) of_day.push_back({clock_text(each.from), clock_text(each.to)});
    if (!of_day.empty()) days[std::string{day_names.at(day)}] = std::move(of_day);
  }
  return days.dump();
}

OpeningHours read_opening_hours(std::string_view text) {
  OpeningHours hours;
  auto const days = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!days.is_object()) return hours;
  for (std::size_t day = 0; day < day_names.size(); ++day) {
    auto const found = days.find(std::string{day_names.at(day)});
    if (found == days.end() || !found->is_array()) continue;
    for (auto const& pair : *found) {
      if (!pair.is_array() || pair.size() != 2) continue;
      if (auto const each = hours_between(pair[0], pair[1])) hours.days.at(day).push_back(*each);
    }
    std::ranges::sort(hours.days.at(day), {}, &HoursOfDay::from);
  }
  return hours;
}

std::string calling_hours_json(HoursOfDay const& hours) {
  return json{{"from", clock_text(hours.from)}, {"to", clock_text(hours.to)}}.dump();
}

HoursOfDay read_calling_hours(std::string_view text) {
  auto const hours = json::parse(text, nullptr, /*allow_exceptions=*/false);
  bool const whole = hours.is_object() && hours.contains("from") && hours.contains("to");
  if (!whole) return usual_calling_hours;
  return hours_between(hours["from"], hours["to"]).value_or(usual_calling_hours);
}

}  // namespace crm
