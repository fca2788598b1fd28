#pragma once
#include <string>
#include <string_view>

namespace crm::pg {

/// The JSON object as PostgreSQL can keep it, without NUL in its texts. What is not an object becomes {"text": …}.
std::string storable_json(std::string_view text);

}  // namespace crm::pg
