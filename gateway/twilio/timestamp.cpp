#include "gateway/twilio/timestamp.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace gateway::twilio {
namespace {

using Wall = base::TimeSource::Wall;
using std::chrono::sys_days;

/// Reads a text from left to right; after the first disappointment everything fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_{text} {}

  int digits(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    int value = 0;
    while (count < most && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      value = value * 10 + (rest_[count++] - '0');
    }
    if (count < least) good_ = false;
    rest_.remove_prefix(count);
    return value;
  }

  void expect(std::string_view literal) {
    if (!rest_.starts_with(literal)) good_ = false;
    rest_.remove_prefix(std::min(literal.size(), rest_.size()));
  }

  std::string_view take(std::size_t count) {
    auto const taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool good() const { return good_; }
  bool ended_well() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::optional<Wall> combine(int year, int month, int day, int hour, int minute, int second) {
  using namespace std::chrono;
  auto const date = std::chrono::year{year} / month / day;
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return Wall{sys_days{date} + hours{hour} + minutes{minute} + seconds{second}};
}

std::optional<Wall> parse_rfc2822(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  Reader reader{text};
  if (auto const comma = text.find(','); comma != text.npos) {
    reader.take(comma);
    reader.expect(", ");
  }
  auto const day = reader.digits(1, 2);
  reader.expect(" ");
  auto const month = std::ranges::find(months, reader.take(3));
  reader.expect(" ");
  auto const year = reader.digits(4, 4);
  reader.expect(" ");
  auto const hour = reader.digits(2, 2);
  reader.expect(":");
  auto const minute = reader.digits(2, 2);
  reader.expect(":");
  auto const second = reader.digits(2, 2);
  reader.expect(" ");
  bool const west = reader.skip('-');
  if (!west) reader.expect("+");
  auto const zone_hours = reader.digits(2, 2);
  auto const zone_minutes = reader.digits(2, 2);
  if (!reader.ended_well() || month == months.end() || zone_minutes > 59) return std::nullopt;
  auto const local = combine(year, static_cast<int>(month - months.begin()) + 1, day, hour, minute, second);
  if (!local) return std::nullopt;
  auto const east = std::chrono::hours{zone_hours} + std::chrono::minutes{zone_minutes};
  return west ? *local + east : *local - east;
}

std::optional<Wall> parse_iso8601(std::string_view text) {
  Reader reader{text};
  auto const year = reader.digits(4, 4);
  reader.expect("-");
  auto const month = reader.digits(2, 2);
  reader.expect("-");
  auto const day = reader.digits(2, 2);
  reader.expect("T");
  auto const hour = reader.digits(2, 2);
  reader.expect(":");
  auto const minute = reader.digits(2, 2);
  reader.expect(":");
  auto const second = reader.digits(2, 2);
  std::chrono::nanoseconds fraction{0};
  if (reader.skip('.')) {
    std::chrono::nanoseconds unit{100'000'000};
    fraction = unit * reader.digits(1, 1);
    for (unit /= 10; unit.count() > 0; unit /= 10) fraction += unit * reader.digits(0, 1);
  }
  reader.expect("Z");
  if (!reader.ended_well()) return std::nullopt;
  auto const whole = combine(year, month, day, hour, minute, second);
  if (!whole) return std::nullopt;
  return *whole + std::chrono::duration_cast<Wall::duration>(fraction);
}

}  // namespace

std::optional<Wall> parse_timestamp(std::string_view text) {
  bool const looks_iso = text.size() > 4 && text[4] == '-';
  return looks_iso ? parse_iso8601(text) : parse_rfc2822(text);
}

}  // namespace gateway::twilio
