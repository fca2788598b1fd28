#include "crm/desk/dictated_number.h"

#include <algorithm>
#include <array>

#include "crm/model/phone_number.h"

namespace crm {
namespace {

// Countries whose national numbers are dialled with one 0 that falls away behind the country code (ITU-T E.164, list of
// national dialling formats): Austria, Australia, Belgium, France, Germany, Ireland, Netherlands, New Zealand, Sweden,
// Switzerland, United Kingdom.
constexpr std::array<std::string_view, 11> leading_zero{"+43", "+61", "+32", "+33", "+49", "+353",
                                                        "+31", "+64", "+46", "+41", "+44"};

/// Digits, with a "+" in front if there was one; nothing when there is something that belongs to no number.
std::optional<std::string> only_digits(std::string_view said) {
  std::string digits;
  // "+44 (0)20 …": the 0 is only for callers from inside the country.
  auto const inside = said.find("(0)");
  std::string const without =
      said.starts_with('+') && inside != said.npos ? std::string{said}.erase(inside, 3) : std::string{said};
  for (char const c : without) {
    if (c == '+' && digits.empty())
      digits += c;
    else if (c >= '0' && c <= '9')
      digits += c;
    else if (std::string_view{" -.()/\t"}.find(c) == std::string_view::npos)
      return std::nullopt;
  }
  return digits;
}

std::optional<std::string> international(std::string number) {
  if (!is_e164(number)) return std::nullopt;
  // A North American number has ten digits after the 1, and no area code begins with 0 or 1.
  bool const north_american = number.starts_with("+1");
  if (north_american && (number.size() != 12 || number[2] < '2')) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string> dictated_number(std::string_view said, std::string_view our_number) {
  auto const cleaned = only_digits(said);
  if (!cleaned) return std::nullopt;
  std::string_view digits = *cleaned;
  if (digits.starts_with('+')) return international(std::string{digits});
  if (our_number.starts_with("+1")) {
    if (digits.starts_with("011")) return international("+" + std::string{digits.substr(3)});
    if (digits.size() == 11 && digits.starts_with('1')) return international("+" + std::string{digits});
    return digits.size() == 10 ? international("+1" + std::string{digits}) : std::nullopt;
  }
  if (digits.starts_with("00")) return international("+" + std::string{digits.substr(2)});
  auto const country = std::ranges::find_if(leading_zero, [&](auto code) { return our_number.starts_with(code); });
  if (country == leading_zero.end() || !digits.starts_with('0')) return std::nullopt;
  return international(std::string{*country} + std::string{digits.substr(1)});
}

}  // namespace crm
