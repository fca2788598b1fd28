#include "crm/adapters/hubspot/mapping.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"
#include "gateway/base/text.h"
#include "gateway/base/time_source.h"

namespace crm::hubspot {
namespace {

// What is longer than a person writes is cut; HubSpot keeps 65,536 characters of a body.
constexpr std::size_t name_bytes = 200;
constexpr std::size_t line_bytes = 1'000;
constexpr std::size_t body_bytes = 60'000;

std::string cut(std::string_view text, std::size_t most) {
  return pg::storable_text(base::clipped(text, most));
}

void put(Record& record, std::string_view name, std::string_view value, std::size_t most = line_bytes) {
  if (value.empty()) return;
  record.properties[std::string{name}] = cut(value, most);
}

bool takes(PropertyDefinition const& definition, std::string_view value) {
  if (definition.is_read_only) return false;
  if (definition.options.empty()) return true;
  while (!value.empty()) {
    auto const piece = value.substr(0, value.find(';'));
    if (!definition.options.contains(std::string{piece})) return false;
    value.remove_prefix(std::min(value.size(), piece.size() + 1));
  }
  return true;
}

/// Something nice to have: sent only where the account can take it.
void put_if_known(Record& record, Schema const& schema, std::string_view name, std::string_view value,
                  std::size_t most = line_bytes) {
  auto const known = schema.find(name);
  if (value.empty() || known == schema.end() || !takes(known->second, value)) return;
  put(record, name, value, most);
  record.dispensable.insert(std::string{name});
}

std::string join(std::vector<std::string> const& tags) {
  std::string text;
  for (auto tag : tags) {
    std::ranges::replace(tag, ';', ',');
    if (tag.empty()) continue;
    if (!text.empty()) text += ';';
    text += tag;
  }
  return text;
}

Properties name_for(Record const& contact) {
  auto const phone = contact.properties.find("phone");
  return {{"lastname", phone == contact.properties.end() ? "Unknown" : phone->second}};
}

std::string_view meeting_outcome(std::string_view status) {
  if (status == "unconfirmed" || status == "confirmed") return "SCHEDULED";
  if (status == "cancelled") return "CANCELED";
  if (status == "completed") return "COMPLETED";
  if (status == "no_show") return "NO_SHOW";
  return {};
}

std::string_view call_status(std::string_view status) {
  if (status == "completed") return "COMPLETED";
  if (status == "busy") return "BUSY";
  if (status == "no-answer") return "NO_ANSWER";
  if (status == "failed") return "FAILED";
  if (status == "canceled") return "CANCELED";
  return {};
}

/// HubSpot's default dispositions; every account has them unless somebody took one away.
std::string_view disposition(CrmCall const& call) {
  if (call.status == "busy") return "9d9162e7-6cf3-4944-bf63-4dff82258764";
  if (call.status == "no-answer") return "73a0d17f-1163-4015-bdd5-ec830791da20";
  if (call.outcome == "voicemail") return "b2cf5968-551e-4856-9783-52b3da59a7d0";
  if (call.outcome == "wrong_number") return "17b47fee-58de-441e-a44c-c6300d46f273";
  bool const talked = !call.outcome.empty() && call.outcome != "abandoned" && call.outcome != "failed";
  return talked ? "f240bbac-87c9-4f6e-bf70-924b57d47db7" : "";
}

std::string in_words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::string call_title(CrmCall const& call) {
  std::string title = call.direction == CallDirection::inbound ? "Inbound call" : "Outbound call";
  return call.outcome.empty() ? title : title + ": " + in_words(call.outcome);
}

}  // namespace

Record to_record(CrmContact const& contact, Settings const& settings, Schema const& schema) {
  Record record{.type = "contacts", .key_property = std::string{contact_key_property}, .key = contact.key};
  put(record, "firstname", contact.first_name, name_bytes);
  put(record, "lastname", contact.last_name, name_bytes);
  put(record, "phone", contact.phone);
  put_if_known(record, schema, "company", contact.company, name_bytes);
  put_if_known(record, schema, settings.tags_property, join(contact.tags));
  put_if_known(record, schema, settings.source_property, contact.source);
  for (auto const& [name, value] : contact.custom_fields) {
    if (!record.properties.contains(name) && name != record.key_property && name != "email")
      put_if_known(record, schema, name, value);
  }
  // HubSpot takes no contact that has none of the three. A number alone is not lost for it.
  bool const has_name = record.properties.contains("firstname") || record.properties.contains("lastname");
  put(record, "email", contact.email);
  if (!contact.email.empty() && (has_name || !contact.phone.empty())) record.dispensable.insert("email");
  if (!has_name && contact.email.empty()) record.only_at_birth = name_for(record);
  return record;
}

std::string_view neighbour_of_key(std::string_view type) {
  if (type == "contacts") return "email";
  if (type == "calls") return "hs_call_title";
  if (type == "meetings") return "hs_meeting_title";
  return "hs_lead_name";
}

std::vector<std::string> looked_for(std::string_view type, Settings const& settings) {
  std::vector<std::string> names{std::string{neighbour_of_key(type)}};
  auto const add = [&names](auto const&... more) { (names.emplace_back(more), ...); };
  if (type == "contacts") add(contact_key_property, "company", settings.tags_property, settings.source_property);
  if (type == "leads") add(lead_key_property, "hs_lead_type", settings.source_property);
  if (type == "meetings")
    add(appointment_key_property, "hs_meeting_location", "hs_internal_meeting_notes", "hs_meeting_outcome");
  if (type == "calls")
    add(call_key_property, "hs_call_from_number", "hs_call_to_number", "hs_call_status", "hs_call_disposition",
        "hs_call_body", "hs_call_recording_url");
  return names;
}

bool leave_out(Record& record, std::set<std::string> const& names) {
  bool const all_dispensable = !names.empty() && std::ranges::all_of(names, [&record](std::string const& name) {
    return record.dispensable.contains(name) && record.properties.contains(name);
  });
  if (!all_dispensable) return false;
  for (auto const& name : names) record.properties.erase(name);
  bool const is_nameless = !record.properties.contains("firstname") && !record.properties.contains("lastname") &&
                           !record.properties.contains("email");
  if (record.type == "contacts" && is_nameless) record.only_at_birth = name_for(record);
  return true;
}

Record to_record(CrmAppointment const& appointment, Schema const& schema) {
  Record record{.type = "meetings", .key_property = std::string{appointment_key_property}, .key = appointment.key};
  auto const start = base::iso8601(appointment.starts_at);
  put(record, "hs_timestamp", start);
  put(record, "hs_meeting_start_time", start);
  put(record, "hs_meeting_end_time", base::iso8601(appointment.ends_at));
  put(record, "hs_meeting_title", appointment.title.empty() ? "Appointment" : appointment.title, name_bytes);
  put_if_known(record, schema, "hs_meeting_location", appointment.location);
  put_if_known(record, schema, "hs_internal_meeting_notes", appointment.notes, body_bytes);
  put_if_known(record, schema, "hs_meeting_outcome", meeting_outcome(appointment.status));
  return record;
}

Record to_record(CrmLead const& lead, Settings const& settings, Schema const& schema) {
  Record record{.type = "leads", .key_property = std::string{lead_key_property}, .key = lead.key};
  put(record, "hs_lead_name", lead.business_name.empty() ? "Caller" : lead.business_name, name_bytes);
  put_if_known(record, schema, "hs_lead_type", lead.category);  // a list of the tenant's own
  put_if_known(record, schema, settings.source_property, lead.source);
  return record;
}

Record to_record(CrmCall const& call, Schema const& schema) {
  Record record{.type = "calls", .key_property = std::string{call_key_property}, .key = call.key};
  put(record, "hs_timestamp", base::iso8601(call.started_at));
  put(record, "hs_call_title", call_title(call), name_bytes);
  put(record, "hs_call_direction", call.direction == CallDirection::inbound ? "INBOUND" : "OUTBOUND");
  put(record, "hs_call_duration", std::to_string(std::max<std::int64_t>(0, call.duration.count())));
  put_if_known(record, schema, "hs_call_from_number", call.from);
  put_if_known(record, schema, "hs_call_to_number", call.to);
  put_if_known(record, schema, "hs_call_status", call_status(call.status));
  put_if_known(record, schema, "hs_call_disposition", disposition(call));
  put_if_known(record, schema, "hs_call_body", call.summary, body_bytes);
  if (call.recording_url.starts_with("https://"))  // all that HubSpot takes
    put_if_known(record, schema, "hs_call_recording_url", call.recording_url);
  return record;
}

}  // namespace crm::hubspot
