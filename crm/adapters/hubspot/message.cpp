#include "crm/adapters/hubspot/message.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"

namespace crm::hubspot {
namespace {

using base::Fault;
using Json = nlohmann::json;

constexpr std::size_t value_bytes = 1'000;
constexpr std::size_t name_bytes = 100;
constexpr std::size_t most_values = 1'000;
constexpr std::size_t most_properties = 10'000;

Json const* member(Json const& json, char const* name) {
  if (!json.is_object()) return nullptr;
  auto const found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

std::string text_or_empty(Json const& json, char const* name, std::size_t most = value_bytes) {
  auto const* value = member(json, name);
  if (!value || !value->is_string()) return {};
  return pg::storable_text(std::string_view{value->get_ref<std::string const&>()}.substr(0, most));
}

/// An identifier of theirs, or nothing when it has a character that none has.
template <class Allowed>
std::string name_of(Json const& json, Allowed allowed) {
  if (!json.is_string()) return {};
  auto const& text = json.get_ref<std::string const&>();
  bool const clean = text.size() <= name_bytes && std::ranges::all_of(text, allowed);
  return clean ? text : std::string{};
}

bool is_of_code(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_of_property(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_of_scope(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}
bool is_of_uuid(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 20 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

template <class Allowed>
std::string name_at(Json const& json, char const* name, Allowed allowed) {
  auto const* value = member(json, name);
  return value ? name_of(*value, allowed) : std::string{};
}

void collect_names(Json const* list, std::set<std::string>& into, bool (*allowed)(char)) {
  if (!list || !list->is_array()) return;
  for (auto const& item : *list) {
    auto name = name_of(item, allowed);
    if (!name.empty() && into.size() < most_values) into.insert(std::move(name));
  }
}

/// "Contact already exists. Existing ID: 12345"
std::string id_in(std::string_view message) {
  constexpr std::string_view mark = "Existing ID:";
  auto const at = message.find(mark);
  if (at == std::string_view::npos) return {};
  auto rest = message.substr(at + mark.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  auto const end = std::ranges::find_if_not(rest, [](char c) { return c >= '0' && c <= '9'; });
  std::string id{rest.begin(), end};
  return is_id(id) ? id : std::string{};
}

/// 'Property values were not valid: [{"name":"x","error":"PROPERTY_DOESNT_EXIST",…}]': JSON inside the text.
void read_bad_properties(std::string const& message, Refusal& refusal) {
  auto const start = message.find('[');
  if (start == std::string::npos) return;
  auto const list = Json::parse(message.begin() + static_cast<std::ptrdiff_t>(start), message.end(), nullptr, false);
  if (!list.is_array()) return;
  for (auto const& item : list) {
    auto name = name_at(item, "name", is_of_property);
    if (name.empty() || refusal.bad_properties.size() >= most_values) continue;
    refusal.bad_properties.insert(std::move(name));
    auto error = name_at(item, "error", is_of_code);
    if (!error.empty()) refusal.bad_values.insert(std::move(error));
  }
}

Refusal to_refusal(Json const& json) {
  Refusal refusal;
  refusal.category = name_at(json, "category", is_of_code);
  refusal.policy = name_at(json, "policyName", is_of_code);
  refusal.request_id = name_at(json, "correlationId", is_of_uuid);
  if (refusal.request_id.empty()) refusal.request_id = name_at(json, "requestId", is_of_uuid);
  if (auto const* message = member(json, "message"); message && message->is_string()) {
    auto const& text = message->get_ref<std::string const&>();
    refusal.existing_id = id_in(text);
    read_bad_properties(text, refusal);
    // Some 429s carry the policy in their prose only.
    if (refusal.policy.empty() && text.find("secondly limit") != std::string::npos) refusal.policy = "SECONDLY";
    if (refusal.policy.empty() && text.find("daily limit") != std::string::npos) refusal.policy = "DAILY";
  }
  if (auto const* errors = member(json, "errors"); errors && errors->is_array()) {
    for (auto const& error : *errors) {
      auto const* context = member(error, "context");
      if (!context) continue;
      collect_names(member(*context, "propertyName"), refusal.bad_properties, is_of_property);
      collect_names(member(*context, "requiredScopes"), refusal.missing_scopes, is_of_scope);
      collect_names(member(*context, "requiredGranularScopes"), refusal.missing_scopes, is_of_scope);
    }
  }
  return refusal;
}

base::Result<RemoteObject> to_object(Json const& json) {
  RemoteObject object;
  object.id = text_or_empty(json, "id");
  if (!is_id(object.id)) return base::fail(Fault::protocol, "a record without an id");
  if (auto const* properties = member(json, "properties"); properties && properties->is_object()) {
    for (auto const& [name, value] : properties->items()) {
      if (!value.is_string() || name.size() > name_bytes || object.properties.size() >= most_values) continue;
      auto text = text_or_empty(*properties, name.c_str());
      if (!text.empty()) object.properties[pg::storable_text(name)] = std::move(text);
    }
  }
  auto const* is_new = member(json, "new");
  object.is_new = is_new && is_new->is_boolean() && is_new->get<bool>();
  return object;
}

base::Result<std::vector<RemoteObject>> to_objects(Json const* list) {
  if (!list || !list->is_array()) return base::fail(Fault::protocol, "an answer without results");
  std::vector<RemoteObject> objects;
  for (auto const& item : *list) {
    auto object = to_object(item);
    if (!object) return std::unexpected{object.error()};
    if (objects.size() < most_values) objects.push_back(std::move(*object));
  }
  return objects;
}

bool is_true(Json const& json, char const* name) {
  auto const* value = member(json, name);
  return value && value->is_boolean() && value->get<bool>();
}

PropertyDefinition to_property(Json const& json) {
  PropertyDefinition property;
  property.name = name_at(json, "name", is_of_property);
  property.group = name_at(json, "groupName", is_of_property);
  property.is_unique = is_true(json, "hasUniqueValue");
  auto const* changes = member(json, "modificationMetadata");
  property.is_read_only = is_true(json, "calculated") || (changes && is_true(*changes, "readOnlyValue"));
  if (auto const* options = member(json, "options"); options && options->is_array()) {
    for (auto const& option : *options) {
      auto value = text_or_empty(option, "value");
      if (!value.empty() && property.options.size() < most_values) property.options.insert(std::move(value));
    }
  }
  return property;
}

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace

base::Result<RemoteObject> decode_object(std::string_view text) {
  return to_object(parse(text));
}

base::Result<BatchAnswer> decode_batch(std::string_view text) {
  auto const json = parse(text);
  BatchAnswer answer;
  if (auto const* errors = member(json, "errors"); errors && errors->is_array()) {
    for (auto const& error : *errors)
      if (answer.errors.size() < most_values) answer.errors.push_back(to_refusal(error));
  }
  auto const* results = member(json, "results");
  if (!results && !answer.errors.empty()) return answer;
  auto objects = to_objects(results);
  if (!objects) return std::unexpected{objects.error()};
  answer.results = std::move(*objects);
  return answer;
}

base::Result<std::vector<RemoteObject>> decode_search(std::string_view text) {
  auto const json = parse(text);
  return to_objects(member(json, "results"));
}

base::Result<Schema> decode_schema(std::string_view text) {
  auto const json = parse(text);
  auto const* results = member(json, "results");
  if (!results || !results->is_array()) return base::fail(Fault::protocol, "an answer without results");
  Schema schema;
  for (auto const& item : *results) {
    auto property = to_property(item);
    auto name = property.name;
    if (!name.empty() && schema.size() < most_properties) schema[std::move(name)] = std::move(property);
  }
  return schema;
}

base::Result<PropertyDefinition> decode_property(std::string_view text) {
  auto property = to_property(parse(text));
  if (property.name.empty()) return base::fail(Fault::protocol, "a property without a name");
  return property;
}

base::Result<Account> decode_account(std::string_view text) {
  auto const json = parse(text);
  auto const* portal = member(json, "portalId");
  if (!portal || !portal->is_number_unsigned()) return base::fail(Fault::protocol, "an account without a number");
  Account account{.portal_id = std::to_string(portal->get<std::uint64_t>())};
  auto const* offset = member(json, "utcOffsetMilliseconds");
  if (offset && offset->is_number_integer()) {
    auto const milliseconds = offset->get<std::int64_t>();
    constexpr std::int64_t day = 86'400'000;
    if (milliseconds > -day && milliseconds < day)
      account.utc_offset = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::milliseconds{milliseconds});
  }
  return account;
}

Refusal decode_refusal(std::string_view text) {
  return to_refusal(parse(text));
}

}  // namespace crm::hubspot
