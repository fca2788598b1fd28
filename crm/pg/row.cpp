#include "crm/pg/row.h"

#include <libpq-fe.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace crm::pg {
namespace {

/// A mapper and its statement disagree: only a change of the program can mend that.
[[noreturn]] void broken(char const* what, char const* column) {
  std::fprintf(stderr, "crm/pg: %s: column \"%s\"\n", what, column);
  std::abort();
}

bool take_number(std::string_view& text, int& number) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<base::TimeSource::Wall> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  bool const whole = take_number(text, y) && take(text, '-') && take_number(text, mo) && take(text, '-') &&
                     take_number(text, d) && take(text, ' ') && take_number(text, h) && take(text, ':') &&
                     take_number(text, mi) && take(text, ':') && take_number(text, s);
  if (!whole) return std::nullopt;
  std::int64_t micro = 0;
  if (take(text, '.')) {
    std::int64_t unit = 100'000;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      micro += (text.front() - '0') * unit;
      unit /= 10;
      text.remove_prefix(1);
    }
  }
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  bool const east = text.front() == '+';
  text.remove_prefix(1);
  int zone_hours = 0, zone_minutes = 0;
  if (!take_number(text, zone_hours)) return std::nullopt;
  if (take(text, ':') && !take_number(text, zone_minutes)) return std::nullopt;
  auto const date = year{y} / mo / d;
  if (!date.ok()) return std::nullopt;
  auto const zone = hours{zone_hours} + minutes{zone_minutes};
  auto const local = sys_days{date} + hours{h} + minutes{mi} + seconds{s} + microseconds{micro};
  return time_point_cast<system_clock::duration>(east ? local - zone : local + zone);
}

std::optional<std::string_view> Row::cell(char const* column) const {
  int const number = PQfnumber(result_, column);
  if (number < 0) broken("the statement does not return", column);
  if (PQgetisnull(result_, index_, number)) return std::nullopt;
  return std::string_view{PQgetvalue(result_, index_, number),
                          static_cast<std::size_t>(PQgetlength(result_, index_, number))};
}

std::string_view Row::value(char const* column) const {
  auto const found = cell(column);
  if (!found) broken("unexpected null in", column);
  return *found;
}

std::string Row::text(char const* column) const {
  return std::string{value(column)};
}

std::optional<std::string> Row::text_if_any(char const* column) const {
  auto const found = cell(column);
  if (!found) return std::nullopt;
  return std::string{*found};
}

std::optional<std::int64_t> Row::integer_if_any(char const* column) const {
  auto const found = cell(column);
  if (!found) return std::nullopt;
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(found->data(), found->data() + found->size(), number);
  if (error != std::errc{} || end != found->data() + found->size()) broken("not an integer in", column);
  return number;
}

std::optional<base::TimeSource::Wall> Row::time_if_any(char const* column) const {
  auto const found = cell(column);
  if (!found) return std::nullopt;
  auto const when = parse_timestamp(*found);
  if (!when) broken("not a time in", column);
  return when;
}

std::int64_t Row::integer(char const* column) const {
  auto const number = integer_if_any(column);
  if (!number) broken("unexpected null in", column);
  return *number;
}

bool Row::boolean(char const* column) const {
  return value(column) == "t";
}

base::TimeSource::Wall Row::time(char const* column) const {
  auto const when = time_if_any(column);
  if (!when) broken("unexpected null in", column);
  return *when;
}

void Rows::Cleared::operator()(pg_result* result) const {
  PQclear(result);
}
Rows::Rows(pg_result* result) : result_{result} {}
std::size_t Rows::size() const {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::int64_t Rows::affected() const {
  std::string_view const text = PQcmdTuples(result_.get());
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::string_view Rows::tag() const {
  return result_ ? PQcmdStatus(result_.get()) : "";
}

}  // namespace crm::pg
