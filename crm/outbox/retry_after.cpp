#include "crm/outbox/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace crm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest = std::chrono::hours{24};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view digits) {
  int value = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) return std::nullopt;
  return value;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", the only form a server may still send.
std::optional<base::TimeSource::Wall> http_date(std::string_view text) {
  if (text.size() != 29 || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") return std::nullopt;
  auto const month = std::ranges::find(months, text.substr(8, 3));
  auto const day = number(text.substr(5, 2));
  auto const year = number(text.substr(12, 4));
  auto const hour = number(text.substr(17, 2));
  auto const minute = number(text.substr(20, 2));
  auto const second = number(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  std::chrono::year_month_day const date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view text, base::TimeSource::Wall now) {
  bool const digits = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    auto const seconds = text.size() > 6 ? std::nullopt : number(text);
    return seconds ? std::min(longest, milliseconds{std::chrono::seconds{*seconds}}) : longest;
  }
  auto const when = http_date(text);
  if (!when) return std::nullopt;
  return std::clamp(std::chrono::duration_cast<milliseconds>(*when - now), milliseconds{0}, longest);
}

}  // namespace crm
