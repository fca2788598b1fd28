#include "crm/pg/fault.h"

#include <fmt/format.h>
#include <libpq-fe.h>

namespace crm::pg {

base::Fault fault_for(std::string_view sqlstate) {
  using base::Fault;
  auto const of_class = [&](std::string_view two) { return sqlstate.starts_with(two); };
  if (sqlstate.empty()) return Fault::unavailable;  // libpq made the error itself: the connection is gone
  if (sqlstate == "23505" || sqlstate == "23P01") return Fault::conflict;
  if (sqlstate == "23503") return Fault::not_found;
  if (sqlstate == "57014" || sqlstate == "55P03") return Fault::timed_out;
  if (of_class("08") || of_class("53") || of_class("57P") || of_class("40") || of_class("58"))
    return Fault::unavailable;
  if (sqlstate == "25006") return Fault::unavailable;  // a standby: the primary is elsewhere or about to be
  if (of_class("22") || of_class("23") || sqlstate == "42501" || sqlstate == "P0001") return Fault::refused;
  return Fault::protocol;
}

base::Error error_from(pg_result const* result, char const* query_name) {
  auto const field = [&](int code) {
    char const* text = result == nullptr ? nullptr : PQresultErrorField(result, code);
    return std::string_view{text == nullptr ? "" : text};
  };
  auto const sqlstate = field(PG_DIAG_SQLSTATE);
  auto const constraint = field(PG_DIAG_CONSTRAINT_NAME);
  auto const fault = fault_for(sqlstate);
  auto detail = fmt::format("{}: SQLSTATE {}", query_name, sqlstate.empty() ? "none, connection lost" : sqlstate);
  if (!constraint.empty()) detail += fmt::format(", {}", constraint);
  // Messages about values repeat the values; the others help.
  if (fault == base::Fault::protocol || fault == base::Fault::unavailable) {
    detail += fmt::format(", {}", field(PG_DIAG_MESSAGE_PRIMARY));
  }
  return base::Error{fault, std::move(detail)};
}

}  // namespace crm::pg
