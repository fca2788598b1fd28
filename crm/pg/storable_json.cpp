#include "crm/pg/storable_json.h"

#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"

namespace crm::pg {
namespace {

/// PostgreSQL keeps no NUL inside a text, also not within JSON.
nlohmann::json storable(nlohmann::json const& value) {
  if (value.is_string()) return storable_text(value.get_ref<std::string const&>());
  if (!value.is_structured()) return value;
  auto copy = value.is_array() ? nlohmann::json::array() : nlohmann::json::object();
  for (auto const& [key, inner] : value.items()) {
    if (value.is_array())
      copy.push_back(storable(inner));
    else
      copy[storable_text(key)] = storable(inner);
  }
  return copy;
}

}  // namespace

std::string storable_json(std::string_view text) {
  auto const json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) return storable(json).dump();
  return nlohmann::json{{"text", storable_text(text)}}.dump();
}

}  // namespace crm::pg
