// From what a model wrote to what the desk takes.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "crm/pg/storable_text.h"
#include "gateway/base/text.h"
#include "gateway/call/tool_table.h"

namespace gateway {
namespace {

using Json = nlohmann::json;
using base::Fault;
using base::Result;

constexpr std::size_t longest_json = 16384;
constexpr std::size_t deepest_nesting = 8;

std::string sentence(std::string_view name, std::string_view what) {
  return std::string{name} + " " + std::string{what};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_nested_too_deep(std::string_view json) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    char const c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest_nesting) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// Takes a pattern off the front of `text`: '0' stands for a digit, anything else for itself.
std::optional<std::string_view> take(std::string_view& text, std::string_view pattern) {
  if (text.size() < pattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    bool const fits = pattern[i] == '0' ? is_digit(text[i]) : text[i] == pattern[i];
    if (!fits) return std::nullopt;
  }
  auto const taken = text.substr(0, pattern.size());
  text.remove_prefix(pattern.size());
  return taken;
}

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

bool is_calendar_day(std::string_view day) {
  std::chrono::year_month_day const date{std::chrono::year{number(day.substr(0, 4))},
                                         std::chrono::month{static_cast<unsigned>(number(day.substr(5, 2)))},
                                         std::chrono::day{static_cast<unsigned>(number(day.substr(8, 2)))}};
  return date.ok();
}

/// "14:30", "14:30:00", "14:30:00.000" to the second.
std::optional<std::string> take_clock(std::string_view& text) {
  auto const hours_and_minutes = take(text, "00:00");
  if (!hours_and_minutes) return std::nullopt;
  std::string clock{*hours_and_minutes};
  auto const more = take(text, ":00");
  clock += more.value_or(":00");
  if (more && text.starts_with('.')) {
    auto const end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    text.remove_prefix(end);
  }
  bool const exists =
      number(clock.substr(0, 2)) < 24 && number(clock.substr(3, 2)) < 60 && number(clock.substr(6, 2)) < 60;
  if (!exists) return std::nullopt;
  return clock;
}

/// "Z", "+02:00", "+0200", "+02" or nothing.
std::optional<std::string> take_offset(std::string_view& text) {
  if (text.empty()) return std::string{};
  char const sign = text.front();
  text.remove_prefix(1);
  if (sign == 'Z' || sign == 'z') return "+00:00";
  if (sign != '+' && sign != '-') return std::nullopt;
  auto const hours = take(text, "00");
  if (!hours) return std::nullopt;
  if (text.starts_with(':')) text.remove_prefix(1);
  auto const minutes = text.empty() ? "00" : take(text, "00");
  if (!minutes || number(*hours) > 14 || number(*minutes) > 59) return std::nullopt;
  return std::string{sign} + std::string{*hours} + ":" + std::string{*minutes};
}

std::optional<std::string> as_moment(std::string_view text) {
  auto const date = take(text, "0000-00-00");
  if (!date || !is_calendar_day(*date)) return std::nullopt;
  if (!text.starts_with('T') && !text.starts_with('t') && !text.starts_with(' ')) return std::nullopt;
  text.remove_prefix(1);
  auto const clock = take_clock(text);
  if (!clock) return std::nullopt;
  auto const offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return std::string{*date} + "T" + *clock + *offset;
}

/// A moment is taken for its day: models like to add midnight.
std::optional<std::string> as_day(std::string_view text) {
  auto rest = text;
  auto const date = take(rest, "0000-00-00");
  if (!date || !is_calendar_day(*date)) return std::nullopt;
  if (!rest.empty() && !as_moment(text)) return std::nullopt;
  return std::string{*date};
}

/// "+1 (415) 555-0100" and "tel:+1…" as models like to write them.
std::optional<std::string> as_phone(std::string_view text) {
  if (text.starts_with("tel:")) text.remove_prefix(4);
  std::string plain;
  for (char const c : text) {
    if (is_digit(c) || (c == '+' && plain.empty()))
      plain += c;
    else if (std::string_view{" -./()"}.find(c) == std::string_view::npos)
      return std::nullopt;
  }
  auto const digits = plain.size() - (plain.starts_with('+') ? 1 : 0);
  if (digits < 5 || digits > 15) return std::nullopt;
  return plain;
}

std::optional<std::string> as_email(std::string_view text) {
  auto const at = text.find('@');
  bool const plausible = at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
                         text.find('@', at + 1) == std::string_view::npos &&
                         text.find_first_of(" \t\r\n<>,;\"") == std::string_view::npos;
  if (!plausible) return std::nullopt;
  return lower(text);
}

std::optional<std::string> as_name_of_row(std::string_view text) {
  auto const fits = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (!std::ranges::all_of(text, fits)) return std::nullopt;
  return std::string{text};
}

Result<bool> as_yes_no(ToolParameter const& parameter, Json const& value) {
  if (value.is_boolean()) return value.get<bool>();
  auto const word = value.is_string() ? lower(base::trimmed(value.get_ref<std::string const&>())) : std::string{};
  if (word == "true" || word == "yes") return true;
  if (word == "false" || word == "no") return false;
  return base::fail(Fault::protocol, sentence(parameter.name, "must be true or false."));
}

Result<std::string> in_one_spelling(ToolParameter const& parameter, std::string_view text) {
  std::optional<std::string> written;
  std::string_view hint;
  switch (parameter.value) {
    case ToolValue::words:
    case ToolValue::yes_no:
      return std::string{text};
    case ToolValue::day:
      written = as_day(text);
      hint = "must be a day of the calendar, written like 2026-03-31.";
      break;
    case ToolValue::moment:
      written = as_moment(text);
      hint = "must be a date and time, written like 2026-03-31T14:30:00, as find_slots gave it.";
      break;
    case ToolValue::day_or_moment:
      written = as_moment(text);
      if (!written) written = as_day(text);
      hint = "must be a day or a time of a day, written like 2026-03-31 or 2026-03-31T14:30:00.";
      break;
    case ToolValue::phone:
      written = as_phone(text);
      hint = "must be a phone number with country code, written like +14155550100.";
      break;
    case ToolValue::email:
      written = as_email(text);
      hint = "must be an e-mail address. Ask the caller to spell it.";
      break;
    case ToolValue::name_of_row:
      written = as_name_of_row(text);
      hint = "must be an id that another tool has given you.";
      break;
  }
  if (!written) return base::fail(Fault::protocol, sentence(parameter.name, hint));
  return *std::move(written);
}

/// Empty when nothing was given. Models write numbers where texts are asked for.
Result<std::string> as_text(ToolParameter const& parameter, Json const& value) {
  std::string raw;
  if (value.is_string())
    raw = value.get<std::string>();
  else if (value.is_number_integer())
    raw = value.dump();
  else if (!value.is_null())
    return base::fail(Fault::protocol, sentence(parameter.name, "must be a text."));
  auto const clean = crm::pg::storable_text(raw);
  auto const text = base::trimmed(clean);
  if (text.empty()) return std::string{};
  if (base::characters_in(text) > parameter.longest) {
    auto const limit = "is too long: at most " + std::to_string(parameter.longest) + " characters.";
    return base::fail(Fault::protocol, sentence(parameter.name, limit));
  }
  return in_one_spelling(parameter, text);
}

/// Adds the parameter to what the desk gets, if it was given.
Result<> accept(ToolParameter const& parameter, Json const& value, Json& accepted) {
  bool const blank = value.is_string() && base::trimmed(value.get_ref<std::string const&>()).empty();
  if (parameter.value == ToolValue::yes_no && !value.is_null() && !blank) {
    auto const answer = as_yes_no(parameter, value);
    if (!answer) return std::unexpected{answer.error()};
    accepted[std::string{parameter.name}] = *answer;
    return {};
  }
  auto text = as_text(parameter, value);
  if (!text) return std::unexpected{text.error()};
  if (!text->empty()) accepted[std::string{parameter.name}] = *std::move(text);
  return {};
}

}  // namespace

Result<std::string> check_parameters(Tool const& tool, std::string_view parameters_json) {
  if (parameters_json.size() > longest_json)
    return base::fail(Fault::protocol, "The parameters are too long. Say it in fewer words.");
  if (is_nested_too_deep(parameters_json))
    return base::fail(Fault::protocol, "The parameters must be a plain object of texts.");
  auto const given = Json::parse(parameters_json, nullptr, /*allow_exceptions=*/false);
  if (!given.is_object()) return base::fail(Fault::protocol, "The parameters must be an object.");
  auto accepted = Json::object();
  for (auto const& parameter : tool.parameters) {
    auto const found = given.find(parameter.name);
    if (found != given.end()) {
      auto const taken = accept(parameter, *found, accepted);
      if (!taken) return std::unexpected{taken.error()};
    }
    if (parameter.required && !accepted.contains(parameter.name))
      return base::fail(Fault::protocol, sentence(parameter.name, "is missing."));
  }
  return accepted.dump();
}

}  // namespace gateway
