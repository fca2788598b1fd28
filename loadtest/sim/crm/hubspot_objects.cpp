// What the fake HubSpot answers about records and properties.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "gateway/net/form.h"
#include "loadtest/sim/crm/hubspot_answers.h"

namespace sim::crm {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_results = 10'000;

net::Response ok(unsigned status, Json const& body) {
  return net::Response::json(status, body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

net::Response not_found() {
  return hubspot_error(404, "OBJECT_NOT_FOUND", "resource not found");
}

net::Response no_such_method() {
  return hubspot_error(405, "METHOD_NOT_ALLOWED", "method not allowed");
}

std::vector<std::string> values_of(net::Form const& query, std::string_view name) {
  std::vector<std::string> values;
  for (auto const& [key, value] : query) {
    if (key != name) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      auto const piece = rest.substr(0, rest.find(','));
      values.emplace_back(piece);
      rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
    }
  }
  return values;
}

/// With `wanted` those properties, null when unset; without, all that are set.
Json object_json(std::string_view type, HubSpotObject const& object, std::vector<std::string> const& wanted) {
  bool const is_contact = type == "contacts";
  Json properties = Json::object();
  for (auto const* name : {"hs_object_id", is_contact ? "createdate" : "hs_createdate",
                           is_contact ? "lastmodifieddate" : "hs_lastmodifieddate"})
    properties[name] = HubSpotStore::value(object, name);
  if (wanted.empty())
    for (auto const& [name, value] : object.properties) properties[name] = value;
  for (auto const& name : wanted) {
    auto value = HubSpotStore::value(object, name);
    properties[name] = value.empty() ? Json{} : Json(std::move(value));
  }
  return {{"id", std::to_string(object.id)},
          {"properties", std::move(properties)},
          {"createdAt", base::iso8601(object.created)},
          {"updatedAt", base::iso8601(object.updated)},
          {"archived", false}};
}

/// Numbers and booleans are taken as text; null unsets.
std::optional<Fields> fields_of(Json const& body) {
  auto const found = body.find("properties");
  if (found == body.end() || !found->is_object()) return {};
  Fields fields;
  for (auto const& [name, value] : found->items()) {
    if (value.is_object() || value.is_array()) return {};
    fields[name] = value.is_string() ? value.get<std::string>() : value.is_null() ? std::string{} : value.dump();
  }
  return fields;
}

net::Response bad_body() {
  return hubspot_error(400, "VALIDATION_ERROR", "Invalid input JSON: required fields are missing");
}

std::optional<std::vector<HubSpotStore::NewLink>> links_of(Json const& body) {
  std::vector<HubSpotStore::NewLink> links;
  auto const found = body.find("associations");
  if (found == body.end() || found->is_null()) return links;
  if (!found->is_array()) return {};
  for (auto const& item : *found) {
    auto const id = item.is_object() && item.contains("to") ? item["to"].value("id", "") : std::string{};
    std::uint64_t to = 0;
    std::from_chars(id.data(), id.data() + id.size(), to);
    if (!item.is_object() || !item.contains("types") || !item["types"].is_array()) return {};
    for (auto const& type : item["types"]) links.push_back({to, type.value("associationTypeId", 0)});
  }
  return links;
}

net::Response create(HubSpotStore& store, std::string const& type, Json const& body) {
  auto fields = fields_of(body);
  auto links = links_of(body);
  if (!fields || !links) return bad_body();
  auto const created = store.create(type, std::move(*fields), *links);
  if (!created) return hubspot_error(created.error());
  return ok(201, object_json(type, **created, {}));
}

net::Response upsert(HubSpotStore& store, HubSpotPath const& path, Json const& body, base::TimeSource::Wall now) {
  auto const inputs = body.find("inputs");
  if (inputs == body.end() || !inputs->is_array() || inputs->empty() || inputs->size() > 100) return bad_body();
  for (auto const& input : *inputs) {
    if (!input.is_object() || !input.contains("id") || !input["id"].is_string()) return bad_body();
    auto const fields = fields_of(input);
    if (!fields) return bad_body();
    if (auto valid = store.check(path.type, *fields); !valid) return hubspot_error(valid.error());
  }
  Json results = Json::array();
  Json errors = Json::array();
  for (auto const& input : *inputs) {
    auto const id = input["id"].get<std::string>();
    auto const done = store.upsert(path.type, input.value("idProperty", "hs_object_id"), id, *fields_of(input));
    if (done) {
      auto object = object_json(path.type, *done->object, {});
      object["new"] = done->created;
      results.push_back(std::move(object));
      continue;
    }
    if (done.error().category == "VALIDATION_ERROR") return hubspot_error(done.error());
    errors.push_back({{"status", "error"},
                      {"category", done.error().category},
                      {"message", done.error().message},
                      {"context", {{"ids", Json::array({id})}}}});
  }
  auto const time = base::iso8601(now);
  Json answer{{"status", "COMPLETE"}, {"results", std::move(results)}, {"startedAt", time}, {"completedAt", time}};
  if (errors.empty()) return ok(200, answer);
  answer["numErrors"] = errors.size();
  answer["errors"] = std::move(errors);
  return ok(path.is_dated ? 200 : 207, answer);
}

bool matches(HubSpotObject const& object, Json const& filter) {
  auto const value = HubSpotStore::value(object, filter.value("propertyName", ""));
  auto const op = filter.value("operator", "");
  if (op == "HAS_PROPERTY") return !value.empty();
  if (op == "NOT_HAS_PROPERTY") return value.empty();
  bool const equal = value == filter.value("value", "");
  return op == "EQ" ? equal : op == "NEQ" && !equal;
}

bool in_any_group(HubSpotObject const& object, Json const& groups) {
  if (groups.empty()) return true;
  return std::ranges::any_of(groups, [&object](Json const& group) {
    return std::ranges::all_of(group["filters"], [&object](Json const& filter) { return matches(object, filter); });
  });
}

net::Response search(HubSpotStore& store, std::string const& type, Json const& body, base::TimeSource::Wall now) {
  Json const groups = body.value("filterGroups", Json::array());
  auto const limit = static_cast<std::size_t>(body.value("limit", 10));
  if (limit > 200 || groups.size() > 5) return hubspot_error(400, "VALIDATION_ERROR", "a search limit was exceeded");
  for (auto const& group : groups) {
    if (!group.is_object() || !group.contains("filters") || !group["filters"].is_array()) return bad_body();
    for (auto const& filter : group["filters"])
      if (!store.properties(type).contains(filter.value("propertyName", "")))
        return hubspot_error(400, "VALIDATION_ERROR", "There was a problem with the request.");
  }
  std::size_t start = 0;
  auto const after = body.contains("after") && body["after"].is_string() ? body["after"].get<std::string>() : "0";
  std::from_chars(after.data(), after.data() + after.size(), start);
  if (start + limit > most_results) return hubspot_error(400, "VALIDATION_ERROR", "no more than 10,000 results");
  auto const wanted = body.value("properties", std::vector<std::string>{});
  std::size_t total = 0;
  Json results = Json::array();
  for (auto const& [id, object] : store.objects(type)) {
    if (object.visible_in_search > now || !in_any_group(object, groups)) continue;
    if (total >= start && results.size() < limit) results.push_back(object_json(type, object, wanted));
    ++total;
  }
  Json answer{{"total", total}, {"results", std::move(results)}};
  if (start + limit < total) answer["paging"] = {{"next", {{"after", std::to_string(start + limit)}}}};
  return ok(200, answer);
}

net::Response list(HubSpotStore& store, std::string const& type, net::Form const& query) {
  std::size_t limit = 10;
  std::uint64_t after = 0;
  auto const limit_text = net::find(query, "limit");
  auto const after_text = net::find(query, "after");
  std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
  std::from_chars(after_text.data(), after_text.data() + after_text.size(), after);
  if (limit > 100) return hubspot_error(400, "VALIDATION_ERROR", "limit is at most 100");
  auto const wanted = values_of(query, "properties");
  Json results = Json::array();
  Json answer;
  for (auto const& [id, object] : store.objects(type)) {
    if (id < after) continue;
    if (results.size() == limit) {
      answer["paging"] = {{"next", {{"after", std::to_string(id)}}}};
      break;
    }
    results.push_back(object_json(type, object, wanted));
  }
  answer["results"] = std::move(results);
  return ok(200, answer);
}

net::Response one(HubSpotStore& store, HubSpotPath const& path, net::Request const& request, Json const& body,
                  net::Form const& query) {
  auto* object = store.find(path.type, path.rest[0], net::find(query, "idProperty"));
  if (!object) return not_found();
  if (request.method == "GET") return ok(200, object_json(path.type, *object, values_of(query, "properties")));
  if (request.method == "DELETE") {
    store.remove(path.type, std::to_string(object->id));
    return net::Response::empty(204);
  }
  if (request.method != "PATCH") return no_such_method();
  auto fields = fields_of(body);
  if (!fields) return bad_body();
  auto const updated = store.update(path.type, *object, std::move(*fields));
  if (!updated) return hubspot_error(updated.error());
  return ok(200, object_json(path.type, **updated, {}));
}

net::Response link(HubSpotStore& store, HubSpotPath const& path, net::Request const& request) {
  auto const* from = store.find(path.type, path.rest[0]);
  if (!from) return not_found();
  if (request.method == "GET" && path.rest.size() == 3) {
    Json results = Json::array();
    for (auto const& known : store.links(path.type, from->id, path.rest[2]))
      results.push_back(
          {{"toObjectId", std::to_string(known.to)},
           {"associationTypes",
            Json::array({{{"category", "HUBSPOT_DEFINED"}, {"typeId", known.type_id}, {"label", nullptr}}})}});
    return ok(200, {{"results", std::move(results)}});
  }
  bool const is_default = path.rest.size() == 5 && path.rest[2] == "default";
  if (request.method != "PUT" || !is_default || !store.has_type(path.rest[3])) return not_found();
  auto const* to = store.find(path.rest[3], path.rest[4]);
  if (!to) return not_found();
  auto const linked = store.link(path.type, from->id, path.rest[3], to->id);
  if (!linked) return hubspot_error(linked.error());
  Json const spec{{"associationCategory", "HUBSPOT_DEFINED"},
                  {"associationTypeId", default_link(path.type, path.rest[3])}};
  Json const result{{"from", {{"id", std::to_string(from->id)}}},
                    {"to", {{"id", std::to_string(to->id)}}},
                    {"associationSpec", spec}};
  return ok(200, {{"status", "COMPLETE"}, {"results", Json::array({result})}});
}

}  // namespace

net::Response answer_objects(HubSpotStore& store, HubSpotPath const& path, net::Request const& request,
                             base::TimeSource::Wall now) {
  auto const query = net::decode_form(request.query());
  if (!query) return bad_body();
  auto const body = Json::parse(request.body, nullptr, false);
  bool const sends_json = request.headers.find("Content-Type").starts_with("application/json") && body.is_object();
  bool const needs_json = request.method == "POST" || request.method == "PATCH";
  if (needs_json && !sends_json) return bad_body();
  auto const& rest = path.rest;
  if (rest.empty() && request.method == "GET") return list(store, path.type, *query);
  if (rest.empty() && request.method == "POST") return create(store, path.type, body);
  if (rest.empty()) return no_such_method();
  if (rest.size() == 1 && rest[0] == "search")
    return request.method == "POST" ? search(store, path.type, body, now) : no_such_method();
  if (rest.size() == 2 && rest[0] == "batch" && rest[1] == "upsert")
    return request.method == "POST" ? upsert(store, path, body, now) : no_such_method();
  if (rest.size() >= 3 && rest[1] == "associations") return link(store, path, request);
  return rest.size() == 1 ? one(store, path, request, body, *query) : not_found();
}

}  // namespace sim::crm
