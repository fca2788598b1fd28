#include <nlohmann/json.hpp>

#include "gateway/agent/elevenlabs/post_call.h"

namespace gateway::elevenlabs {

std::string evaluation_json(PostCall const& call) {
  auto object = nlohmann::json::object();
  for (auto const& criterion : call.evaluation)
    object[criterion.id] = {{"result", criterion.result}, {"rationale", criterion.rationale}};
  return object.dump();
}

std::string collected_json(PostCall const& call) {
  auto object = nlohmann::json::object();
  for (auto const& one : call.collected)
    object[one.id] = {{"value", nlohmann::json::parse(one.value_json, nullptr, false)}, {"rationale", one.rationale}};
  return object.dump();
}

}  // namespace gateway::elevenlabs
