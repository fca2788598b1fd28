#include "loadtest/sim/crm/hubspot_store.h"

#include <algorithm>
#include <charconv>

#include "loadtest/sim/crm/hubspot_schema.h"

namespace sim::crm {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// HubSpot's searchable form of a number: digits without the country code.
std::string national_digits(std::string_view number) {
  std::string digits;
  for (char const c : number)
    if (c >= '0' && c <= '9') digits += c;
  if (!number.starts_with('+')) return digits;
  return digits.starts_with('1') ? digits.substr(1) : digits.substr(std::min<std::size_t>(2, digits.size()));
}

std::vector<std::string> addresses_of(HubSpotObject const& contact) {
  std::vector<std::string> all{lower(HubSpotStore::value(contact, "email"))};
  std::string more = HubSpotStore::value(contact, "hs_additional_emails");
  while (!more.empty()) {
    auto const piece = more.substr(0, more.find(';'));
    all.push_back(lower(piece));
    more.erase(0, piece.size() + 1);
  }
  return all;
}

std::string singular(std::string_view type) {
  std::string name{type.substr(0, type.size() - 1)};
  name[0] = static_cast<char>(name[0] - 32);
  return name;
}

/// The array of JSON inside a text that HubSpot complains with.
std::string complaint(std::string_view name, std::string_view error, std::string_view words) {
  std::string text = R"([{"isValid":false,"message":"Property \")" + std::string{name} + R"(\" )" + std::string{words};
  text += R"(","error":")" + std::string{error} + R"(","name":")" + std::string{name};
  text += R"(","localizedErrorMessage":"Property \")" + std::string{name} + R"(\" )" + std::string{words} + R"("}])";
  return "Property values were not valid: " + text;
}

std::unexpected<HubSpotError> invalid(std::string message) {
  return std::unexpected{HubSpotError{400, "VALIDATION_ERROR", std::move(message)}};
}

bool takes(HubSpotProperty const& property, std::string_view value) {
  if (property.options.empty() || value.empty()) return true;
  while (!value.empty()) {
    auto const piece = value.substr(0, value.find(';'));
    if (std::ranges::find(property.options, piece) == property.options.end()) return false;
    value.remove_prefix(std::min(value.size(), piece.size() + 1));
  }
  return true;
}

bool is_email(std::string_view text) {
  auto const at = text.find('@');
  return at != std::string_view::npos && at > 0 && text.find('.', at) != std::string_view::npos &&
         text.find(' ') == std::string_view::npos;
}

}  // namespace

HubSpotStore::HubSpotStore(base::TimeSource& time) : time_{time} {
  for (auto const* type : {"contacts", "calls", "meetings", "notes", "leads"}) {
    auto& known = types_[type].properties;
    for (auto& property : their_properties(type)) {
      auto name = property.name;
      known[std::move(name)] = std::move(property);
    }
  }
}

HubSpotStore::Type& HubSpotStore::type_of(std::string_view type) {
  return types_.find(type)->second;
}
HubSpotStore::Type const& HubSpotStore::type_of(std::string_view type) const {
  return types_.find(type)->second;
}

std::map<std::string, HubSpotProperty, std::less<>> const& HubSpotStore::properties(std::string_view type) const {
  return type_of(type).properties;
}

std::map<std::uint64_t, HubSpotObject> const& HubSpotStore::objects(std::string_view type) const {
  return type_of(type).objects;
}

HubSpotResult<HubSpotProperty> HubSpotStore::add_property(std::string_view type, HubSpotProperty property) {
  auto& known = type_of(type).properties;
  if (known.contains(property.name))
    return std::unexpected{
        HubSpotError{409, "OBJECT_ALREADY_EXISTS", "A property named '" + property.name + "' already exists."}};
  bool const group_exists =
      std::ranges::any_of(known, [&property](auto const& entry) { return entry.second.group == property.group; });
  if (!group_exists) return invalid("Property group '" + property.group + "' does not exist.");
  auto const unique =
      std::ranges::count_if(known, [](auto const& entry) { return entry.second.is_unique && !entry.second.is_theirs; });
  bool const may_be_unique = (type == "contacts" || unique_beyond_contacts) && unique < 10;
  if (property.is_unique && !may_be_unique)
    return invalid("No more unique properties are allowed for this object type.");
  auto name = property.name;
  return known[std::move(name)] = std::move(property);
}

void HubSpotStore::remove_property(std::string_view type, std::string_view name) {
  auto& known = type_of(type).properties;
  auto const found = known.find(name);
  if (found != known.end()) known.erase(found);
}

std::string HubSpotStore::value(HubSpotObject const& object, std::string_view name) {
  auto const stored = [&object](std::string_view key) {
    auto const found = object.properties.find(key);
    return found == object.properties.end() ? std::string{} : found->second;
  };
  if (name == "hs_searchable_calculated_phone_number") return national_digits(stored("phone"));
  if (name == "hs_searchable_calculated_mobile_number") return national_digits(stored("mobilephone"));
  if (name == "hs_object_id") return std::to_string(object.id);
  if (name == "createdate" || name == "hs_createdate") return base::iso8601(object.created);
  if (name == "lastmodifieddate" || name == "hs_lastmodifieddate") return base::iso8601(object.updated);
  return stored(name);
}

HubSpotObject* HubSpotStore::find(std::string_view type, std::string_view id, std::string_view id_property) {
  auto& objects = type_of(type).objects;
  if (id_property.empty() || id_property == "hs_object_id") {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc{} || end != id.data() + id.size()) return nullptr;
    auto const found = objects.find(number);
    return found == objects.end() ? nullptr : &found->second;
  }
  for (auto& [number, object] : objects) {
    if (id_property == "email" && type == "contacts") {
      auto const all = addresses_of(object);
      if (!id.empty() && std::ranges::find(all, lower(id)) != all.end()) return &object;
    } else if (!id.empty() && value(object, id_property) == id) {
      return &object;
    }
  }
  return nullptr;
}

HubSpotResult<void> HubSpotStore::check(std::string_view type, Fields const& fields) const {
  auto const& known = type_of(type).properties;
  for (auto const& [name, text] : fields) {
    auto const property = known.find(name);
    if (property == known.end()) return invalid(complaint(name, "PROPERTY_DOESNT_EXIST", "does not exist"));
    if (property->second.is_read_only) return invalid(complaint(name, "READ_ONLY_VALUE", "is a read only property"));
    if (!takes(property->second, text))
      return invalid(complaint(name, "INVALID_OPTION", "was not one of the allowed options"));
    if (name == "email" && !text.empty() && !is_email(text))
      return invalid(complaint(name, "INVALID_EMAIL", "is not a valid email address"));
    if (name == "hs_call_recording_url" && !text.empty() && !text.starts_with("https://"))
      return invalid(complaint(name, "INVALID_URL", "must be an https address"));
  }
  return {};
}

HubSpotResult<void> HubSpotStore::check_unique(std::string_view type, Fields const& fields,
                                               std::uint64_t except) const {
  auto const& kind = type_of(type);
  for (auto const& [name, text] : fields) {
    if (text.empty()) continue;
    bool const is_address = type == "contacts" && (name == "email" || name == "hs_additional_emails");
    auto const property = kind.properties.find(name);
    if (!is_address && !(property != kind.properties.end() && property->second.is_unique)) continue;
    auto* other = const_cast<HubSpotStore*>(this)->find(type, text, is_address ? "email" : name);
    if (!other || other->id == except) continue;
    if (!is_address && duplicate_status == 400) return invalid(complaint(name, "CONFLICTING_UNIQUE_VALUE", "is taken"));
    return std::unexpected{
        HubSpotError{409, "CONFLICT", singular(type) + " already exists. Existing ID: " + std::to_string(other->id)}};
  }
  return {};
}

HubSpotResult<void> HubSpotStore::check_required(std::string_view type, Fields const& fields,
                                                 std::vector<NewLink> const& links) const {
  auto const has = [&fields](std::string_view name) {
    auto const found = fields.find(name);
    return found != fields.end() && !found->second.empty();
  };
  if (type == "contacts" && !has("email") && !has("firstname") && !has("lastname"))
    return invalid("At least one of email, firstname or lastname is required.");
  bool const is_engagement = type == "calls" || type == "meetings" || type == "notes";
  if (is_engagement && !has("hs_timestamp")) return invalid("Required properties missing: [hs_timestamp]");
  if (type == "leads") {
    if (!has("hs_lead_name")) return invalid("Required properties missing: [hs_lead_name]");
    bool const has_contact = std::ranges::any_of(links, [](NewLink const& link) { return link.type_id == 578; });
    if (!has_contact) return invalid("A lead must be associated with a contact.");
  }
  for (auto const& link : links) {
    if (link.type_id != default_link(type, "contacts") && !(type == "leads" && link.type_id == 608))
      return invalid("Association type " + std::to_string(link.type_id) + " is not valid from " + std::string{type});
    if (!type_of("contacts").objects.contains(link.to)) return invalid("The associated contact does not exist.");
  }
  return {};
}

void HubSpotStore::touch(HubSpotObject& object) {
  object.updated = time_.wall();
}

HubSpotResult<HubSpotObject*> HubSpotStore::create(std::string_view type, Fields fields,
                                                   std::vector<NewLink> const& links) {
  if (auto valid = check(type, fields); !valid) return std::unexpected{valid.error()};
  if (auto complete = check_required(type, fields, links); !complete) return std::unexpected{complete.error()};
  if (auto free = check_unique(type, fields, 0); !free) return std::unexpected{free.error()};
  auto const id = next_id_++;
  auto& object = type_of(type).objects[id];
  object = {.id = id, .properties = std::move(fields), .created = time_.wall()};
  object.visible_in_search = time_.wall() + index_lag;
  touch(object);
  for (auto const& link : links) {
    links_[{std::string{type}, id}].insert({"contacts", link.to, link.type_id});
    links_[{"contacts", link.to}].insert({std::string{type}, id, default_link("contacts", type)});
  }
  return &object;
}

HubSpotResult<HubSpotObject*> HubSpotStore::update(std::string_view type, HubSpotObject& object, Fields fields) {
  if (auto valid = check(type, fields); !valid) return std::unexpected{valid.error()};
  if (auto free = check_unique(type, fields, object.id); !free) return std::unexpected{free.error()};
  for (auto& [name, text] : fields) object.properties[name] = std::move(text);
  touch(object);
  return &object;
}

HubSpotResult<HubSpotStore::Upserted> HubSpotStore::upsert(std::string_view type, std::string_view id_property,
                                                           std::string_view id, Fields fields) {
  auto const& known = type_of(type).properties;
  auto const property = known.find(id_property);
  bool const can_tell_apart = id_property == "email" || (property != known.end() && property->second.is_unique);
  if (!can_tell_apart) return invalid("idProperty must be a unique property.");
  if (auto* existing = find(type, id, id_property)) {
    auto updated = update(type, *existing, std::move(fields));
    if (!updated) return std::unexpected{updated.error()};
    return Upserted{*updated, false};
  }
  fields[std::string{id_property}] = std::string{id};
  auto created = create(type, std::move(fields));
  if (!created) return std::unexpected{created.error()};
  return Upserted{*created, true};
}

bool HubSpotStore::remove(std::string_view type, std::string_view id) {
  auto const* object = find(type, id);
  return object && type_of(type).objects.erase(object->id) > 0;
}

HubSpotResult<void> HubSpotStore::link(std::string_view type, std::uint64_t id, std::string_view to_type,
                                       std::uint64_t to) {
  int const there = default_link(type, to_type);
  if (there == 0) return invalid("There is no default association between these types.");
  if (!type_of(type).objects.contains(id) || !type_of(to_type).objects.contains(to))
    return std::unexpected{HubSpotError{404, "OBJECT_NOT_FOUND", "resource not found"}};
  links_[{std::string{type}, id}].insert({std::string{to_type}, to, there});
  links_[{std::string{to_type}, to}].insert({std::string{type}, id, default_link(to_type, type)});
  return {};
}

std::vector<HubSpotLink> HubSpotStore::links(std::string_view type, std::uint64_t id, std::string_view to_type) const {
  std::vector<HubSpotLink> found;
  auto const all = links_.find({std::string{type}, id});
  if (all == links_.end()) return found;
  for (auto const& link : all->second)
    if (link.to_type == to_type) found.push_back(link);
  return found;
}

}  // namespace sim::crm
