// What the fake HubSpot answers about the schema.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "loadtest/sim/crm/hubspot_answers.h"

namespace sim::crm {
namespace {

using Json = nlohmann::json;

Json property_json(HubSpotProperty const& property) {
  Json options = Json::array();
  for (std::size_t i = 0; i < property.options.size(); ++i)
    options.push_back(
        {{"label", property.options[i]}, {"value", property.options[i]}, {"displayOrder", i}, {"hidden", false}});
  return {{"name", property.name},
          {"label", property.label},
          {"type", property.type},
          {"fieldType", property.field_type},
          {"description", ""},
          {"groupName", property.group},
          {"options", std::move(options)},
          {"displayOrder", -1},
          {"calculated", property.is_read_only},
          {"modificationMetadata",
           {{"archivable", !property.is_theirs},
            {"readOnlyDefinition", property.is_theirs},
            {"readOnlyValue", property.is_read_only}}},
          {"externalOptions", false},
          {"archived", false},
          {"hasUniqueValue", property.is_unique},
          {"hidden", false},
          {"hubspotDefined", property.is_theirs},
          {"formField", false}};
}

net::Response ok(unsigned status, Json const& body) {
  return net::Response::json(status, body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

net::Response add(HubSpotStore& store, std::string const& type, Json const& body) {
  HubSpotProperty property;
  for (auto const& [name, into] :
       {std::pair{"name", &property.name}, std::pair{"label", &property.label}, std::pair{"groupName", &property.group},
        std::pair{"type", &property.type}, std::pair{"fieldType", &property.field_type}}) {
    if (!body.contains(name) || !body[name].is_string())
      return hubspot_error(400, "VALIDATION_ERROR", std::string{"Invalid input JSON: "} + name + " is required");
    *into = body[name].get<std::string>();
  }
  bool const is_name = std::ranges::all_of(
      property.name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  if (!is_name) return hubspot_error(400, "VALIDATION_ERROR", "Property names are lower case");
  property.is_unique = body.value("hasUniqueValue", false);
  for (auto const& option : body.value("options", Json::array())) property.options.push_back(option.value("value", ""));
  auto const added = store.add_property(type, std::move(property));
  if (!added) return hubspot_error(added.error());
  return ok(201, property_json(*added));
}

}  // namespace

net::Response answer_properties(HubSpotStore& store, HubSpotPath const& path, net::Request const& request) {
  auto const& known = store.properties(path.type);
  if (path.rest.size() == 1 && request.method == "GET") {
    auto const found = known.find(path.rest[0]);
    if (found == known.end()) return hubspot_error(404, "OBJECT_NOT_FOUND", "resource not found");
    return ok(200, property_json(found->second));
  }
  if (!path.rest.empty()) return hubspot_error(404, "OBJECT_NOT_FOUND", "resource not found");
  if (request.method == "GET") {
    Json results = Json::array();
    for (auto const& [name, property] : known) results.push_back(property_json(property));
    return ok(200, {{"results", std::move(results)}});
  }
  auto const body = Json::parse(request.body, nullptr, false);
  if (request.method != "POST") return hubspot_error(405, "METHOD_NOT_ALLOWED", "method not allowed");
  if (!body.is_object()) return hubspot_error(400, "VALIDATION_ERROR", "Invalid input JSON");
  return add(store, path.type, body);
}

}  // namespace sim::crm
