#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/time_source.h"

struct pg_result;

namespace crm::pg {

/// One row of a result, read by column name; lives as long as its Rows. Asking for a column the statement does not
/// return, or for the value of a null, is a broken invariant and ends the process.
class Row {
 public:
  Row(pg_result const* result, int index) : result_{result}, index_{index} {}

  std::string text(char const* column) const;
  std::int64_t integer(char const* column) const;
  bool boolean(char const* column) const;
  base::TimeSource::Wall time(char const* column) const;

  std::optional<std::string> text_if_any(char const* column) const;
  std::optional<std::int64_t> integer_if_any(char const* column) const;
  std::optional<base::TimeSource::Wall> time_if_any(char const* column) const;

 private:
  std::optional<std::string_view> cell(char const* column) const;
  std::string_view value(char const* column) const;
  pg_result const* result_;
  int index_;
};

/// What a statement gave back.
class Rows {
 public:
  Rows() = default;
  /// Takes ownership of the result.
  explicit Rows(pg_result* result);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  Row operator[](std::size_t index) const { return Row{result_.get(), static_cast<int>(index)}; }
  /// Rows that an insert, update or delete has touched.
  std::int64_t affected() const;
  /// The command the server says it ran: "SELECT 3", "COMMIT", "ROLLBACK".
  std::string_view tag() const;

 private:
  struct Cleared {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Cleared> result_;
};

/// PostgreSQL's ISO output, "2026-01-31 09:30:00.123+00"; the zone offset may have minutes.
std::optional<base::TimeSource::Wall> parse_timestamp(std::string_view text);

}  // namespace crm::pg
