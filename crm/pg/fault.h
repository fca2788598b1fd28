#pragma once
#include <string_view>

#include "gateway/base/result.h"

struct pg_result;

namespace crm::pg {

/// The one place where SQLSTATE becomes a Fault:
///   conflict     a unique key or an exclusion constraint is already taken (23505, 23P01)
///   not_found    a row that is referred to does not exist (23503)
///   refused      the values are not acceptable, or we lack the right (22…, 23…, 42501, P0001)
///   timed_out    the statement or a lock wait took too long (57014, 55P03)
///   unavailable  try again later: connection lost, shutting down, out of resources, serialization (08, 53, 57P, 40,
///   25006) protocol     the statement itself is wrong: a bug of ours
base::Fault fault_for(std::string_view sqlstate);

/// The error of a failed result: SQLSTATE, constraint and the name of the statement; never the values.
base::Error error_from(pg_result const* result, char const* query_name);

}  // namespace crm::pg
