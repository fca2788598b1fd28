#include "loadtest/sim/elevenlabs/tool_answer.h"

#include <nlohmann/json.hpp>

#include "loadtest/sim/elevenlabs/initiation.h"

namespace sim::elevenlabs {
namespace {

using Json = nlohmann::json;

void collect(Json const& json, std::string const& path, Variables& variables) {
  if (json.is_object()) {
    for (auto const& [key, value] : json.items()) collect(value, path + "." + key, variables);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) collect(json[i], path + "." + std::to_string(i), variables);
  } else {
    variables[path] = json.is_string() ? json.get<std::string>() : json.dump();
  }
}

void fill(Json& json, Variables const& variables) {
  if (json.is_string()) {
    json = fill_in(json.get<std::string>(), variables);
  } else if (json.is_structured()) {
    for (auto& value : json) fill(value, variables);
  }
}

}  // namespace

void keep_answer(std::string_view tool, std::string const& result, Variables& variables) {
  variables["tool_result"] = result;
  auto const path = std::string{tool};
  std::erase_if(variables, [&](auto const& one) { return one.first.starts_with(path + "."); });
  auto const json = Json::parse(result, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) collect(json, path, variables);
}

std::string filled_parameters(std::string const& text, Variables const& variables) {
  auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return text;
  fill(json, variables);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sim::elevenlabs
