#pragma once
#include <string>
#include <string_view>

#include "crm/model/call_record.h"
#include "gateway/base/result.h"

namespace crm::journal {

/// A call record as one JSON object with the version of its form. Nothing is lost: decode(encode(call)) == call, also
/// when a text is not UTF-8.
std::string encode(CallRecord const& call);
/// Fault::protocol for anything that encode() cannot have written; says what, never a value.
base::Result<CallRecord> decode(std::string_view json);

}  // namespace crm::journal
