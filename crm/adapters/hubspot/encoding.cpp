#include <nlohmann/json.hpp>

#include "crm/adapters/hubspot/mapping.h"

namespace crm::hubspot {
namespace {

using Json = nlohmann::json;

std::string dump(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json everything(Record const& record) {
  Json json = record.properties;
  for (auto const& [name, value] : record.only_at_birth) json[name] = value;
  json[record.key_property] = record.key;
  return json;
}

/// Numbers of HubSpot's own links, from the record to a contact; they have a direction.
int link_to_contact(std::string_view type) {
  if (type == "calls") return 194;
  if (type == "meetings") return 200;
  return 578;  // lead to primary contact
}

Json filter_group(std::string_view property, std::string_view value) {
  return {{"filters", Json::array({{{"propertyName", property}, {"operator", "EQ"}, {"value", value}}})}};
}

Json search(Json groups, Json properties) {
  return {{"filterGroups", std::move(groups)},
          {"properties", std::move(properties)},
          {"limit", 10},
          {"after", "0"},
          {"sorts", Json::array()}};
}

}  // namespace

std::string encode_upsert(Record const& record) {
  Json const input{{"idProperty", record.key_property}, {"id", record.key}, {"properties", everything(record)}};
  return dump({{"inputs", Json::array({input})}});
}

std::string encode_create(Record const& record, std::string_view contact) {
  Json links = Json::array();
  if (!contact.empty()) {
    Json const type{{"associationCategory", "HUBSPOT_DEFINED"}, {"associationTypeId", link_to_contact(record.type)}};
    links.push_back({{"to", {{"id", contact}}}, {"types", Json::array({type})}});
  }
  return dump({{"properties", everything(record)}, {"associations", std::move(links)}});
}

std::string encode_update(Properties const& properties) {
  return dump({{"properties", properties}});
}

std::string encode_key_property(std::string_view type, std::string_view name, std::string_view group, bool is_unique) {
  std::string label = type == "contacts" ? "Switchboard contact key"
                      : type == "calls"  ? "Switchboard call"
                      : type == "leads"  ? "Switchboard lead key"
                                         : "Switchboard appointment key";
  return dump({{"groupName", group},
               {"name", name},
               {"label", std::move(label)},
               {"type", "string"},
               {"fieldType", "text"},
               {"hasUniqueValue", is_unique}});
}

std::string encode_phone_search(std::string_view e164) {
  auto const national = national_number(e164);
  return dump(
      search(Json::array({filter_group("phone", e164), filter_group("hs_searchable_calculated_phone_number", national),
                          filter_group("hs_searchable_calculated_mobile_number", national)}),
             Json::array({"firstname", "lastname", "email", "phone", "mobilephone"})));
}

std::string encode_key_search(std::string_view key_property, std::string_view key) {
  return dump(search(Json::array({filter_group(key_property, key)}), Json::array({key_property})));
}

}  // namespace crm::hubspot
