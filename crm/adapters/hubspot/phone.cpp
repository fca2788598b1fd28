#include <algorithm>
#include <array>

#include "crm/adapters/hubspot/mapping.h"
#include "crm/model/phone_number.h"

namespace crm::hubspot {
namespace {

/// Country codes of two digits; 1 and 7 have one, all others three.
constexpr std::array<std::string_view, 43> two_digit_codes{
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
    "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
    "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95"};

std::size_t country_code_digits(std::string_view digits) {
  if (digits.starts_with('1') || digits.starts_with('7')) return 1;
  auto const two = digits.substr(0, 2);
  return two == "98" || std::ranges::find(two_digit_codes, two) != two_digit_codes.end() ? 2 : 3;
}

}  // namespace

std::string_view national_number(std::string_view e164) {
  if (!is_e164(e164)) return e164;
  auto const digits = e164.substr(1);
  return digits.substr(country_code_digits(digits));
}

std::string to_e164(std::string_view typed, std::string_view country_code) {
  std::string digits;
  bool has_plus = false;
  for (char const c : typed) {
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (c == '+' && digits.empty()) {
      has_plus = true;
    } else if (std::string_view{" ()-./\t"}.find(c) == std::string_view::npos) {
      break;  // an extension or a remark
    }
  }
  std::string number;
  if (has_plus) {
    number = "+" + digits;
  } else if (digits.starts_with("00")) {
    number = "+" + digits.substr(2);
  } else if (country_code == "1") {
    number = digits.size() == 11 && digits[0] == '1' ? "+" + digits : "+1" + digits;
  } else {
    number = "+" + std::string{country_code} + (digits.starts_with('0') ? digits.substr(1) : digits);
  }
  return is_e164(number) ? number : std::string{};
}

}  // namespace crm::hubspot
