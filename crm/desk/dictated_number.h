#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace crm {

/// A number as somebody says it and a model writes it, in E.164. With "+" (or the "00" or "011" that stand for it) it
/// is taken as it is; without, it is a national one of the country of `our_number`, if we know how those are written
/// there: the North American plan, and countries where one leading 0 gives way to the country code. Nothing when it
/// cannot be told.
std::optional<std::string> dictated_number(std::string_view said, std::string_view our_number);

}  // namespace crm
