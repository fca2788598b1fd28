#pragma once
#include <string>
#include <string_view>

namespace crm::pg {

/// The text as PostgreSQL can keep it: bytes that are not UTF-8, and NUL, become U+FFFD. For text from outside that
/// must not make its record unstorable.
std::string storable_text(std::string_view text);

}  // namespace crm::pg
