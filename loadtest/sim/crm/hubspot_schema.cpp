#include "loadtest/sim/crm/hubspot_schema.h"

#include <utility>

namespace sim::crm {
namespace {

HubSpotProperty text(std::string name, std::string group) {
  HubSpotProperty property;
  property.name = name;
  property.label = std::move(name);
  property.group = std::move(group);
  property.is_theirs = true;
  return property;
}

HubSpotProperty computed(std::string name, std::string group) {
  auto property = text(std::move(name), std::move(group));
  property.is_read_only = true;
  return property;
}

HubSpotProperty list(std::string name, std::string group, std::vector<std::string> options) {
  auto property = text(std::move(name), std::move(group));
  property.type = "enumeration";
  property.field_type = "select";
  property.options = std::move(options);
  return property;
}

std::vector<HubSpotProperty> of_contacts() {
  std::string const group = "contactinformation";
  std::vector<HubSpotProperty> all;
  for (auto const* name : {"email", "firstname", "lastname", "phone", "mobilephone", "company", "hs_lead_status",
                           "hs_additional_emails", "hubspot_owner_id"})
    all.push_back(text(name, group));
  for (auto const* name : {"hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number",
                           "createdate", "lastmodifieddate", "hs_object_id"})
    all.push_back(computed(name, group));
  return all;
}

std::vector<HubSpotProperty> of_calls() {
  std::string const group = "call";
  std::vector<HubSpotProperty> all;
  for (auto const* name : {"hs_timestamp", "hs_call_title", "hs_call_duration", "hs_call_from_number",
                           "hs_call_to_number", "hs_call_body", "hs_call_recording_url", "hubspot_owner_id"})
    all.push_back(text(name, group));
  all.push_back(list("hs_call_direction", group, {"INBOUND", "OUTBOUND"}));
  all.push_back(list("hs_call_status", group, {"COMPLETED", "BUSY", "NO_ANSWER", "FAILED", "CANCELED"}));
  all.push_back(list("hs_call_disposition", group,
                     {"f240bbac-87c9-4f6e-bf70-924b57d47db7", "9d9162e7-6cf3-4944-bf63-4dff82258764",
                      "73a0d17f-1163-4015-bdd5-ec830791da20", "b2cf5968-551e-4856-9783-52b3da59a7d0",
                      "a4c4c377-d246-4b32-a13b-75a56a4cd0ff", "17b47fee-58de-441e-a44c-c6300d46f273"}));
  return all;
}

std::vector<HubSpotProperty> of_meetings() {
  std::string const group = "meeting";
  std::vector<HubSpotProperty> all;
  for (auto const* name : {"hs_timestamp", "hs_meeting_title", "hs_meeting_start_time", "hs_meeting_end_time",
                           "hs_meeting_location", "hs_meeting_body", "hs_internal_meeting_notes", "hubspot_owner_id"})
    all.push_back(text(name, group));
  all.push_back(list("hs_meeting_outcome", group, {"SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"}));
  return all;
}

}  // namespace

std::vector<HubSpotProperty> their_properties(std::string_view type) {
  if (type == "contacts") return of_contacts();
  std::vector<HubSpotProperty> all;
  if (type == "calls") all = of_calls();
  if (type == "meetings") all = of_meetings();
  if (type == "notes") all = {text("hs_timestamp", "note"), text("hs_note_body", "note")};
  if (type == "leads")
    all = {text("hs_lead_name", "lead_information"), text("hs_pipeline_stage", "lead_information"),
           list("hs_lead_type", "lead_information", {"NEW BUSINESS", "UPSELL", "RE-ATTEMPTING"}),
           list("hs_lead_label", "lead_information", {"HOT", "WARM", "COLD"})};
  auto const group = all.empty() ? std::string{} : all.front().group;
  for (auto const* name : {"hs_createdate", "hs_lastmodifieddate", "hs_object_id"})
    all.push_back(computed(name, group));
  return all;
}

int default_link(std::string_view from, std::string_view to) {
  struct Pair {
    std::string_view from, to;
    int id;
  };
  // HubSpot's own association types; they have a direction.
  for (auto const& pair :
       {Pair{"calls", "contacts", 194}, Pair{"contacts", "calls", 193}, Pair{"meetings", "contacts", 200},
        Pair{"contacts", "meetings", 199}, Pair{"notes", "contacts", 202}, Pair{"contacts", "notes", 201},
        Pair{"leads", "contacts", 578}, Pair{"calls", "leads", 597}, Pair{"leads", "calls", 596},
        Pair{"meetings", "leads", 601}, Pair{"leads", "meetings", 600}, Pair{"notes", "leads", 855},
        Pair{"leads", "notes", 854}, Pair{"meetings", "calls", 400}, Pair{"calls", "meetings", 399}})
    if (pair.from == from && pair.to == to) return pair.id;
  return 0;
}

}  // namespace sim::crm
