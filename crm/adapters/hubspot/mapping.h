#pragma once
// Our records in HubSpot's words: values to values, no sockets. Every property is a text on their wire.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crm/adapters/hubspot/settings.h"
#include "crm/outbox/adapter.h"

namespace crm::hubspot {

using Properties = std::map<std::string, std::string>;

inline constexpr std::string_view contact_key_property = "switchboard_contact_key";
inline constexpr std::string_view call_key_property = "switchboard_call_sid";
inline constexpr std::string_view appointment_key_property = "switchboard_appointment_key";
inline constexpr std::string_view lead_key_property = "switchboard_lead_key";

/// One property of the account's schema.
struct PropertyDefinition {
  std::string name;
  std::string group;
  bool is_unique = false;
  bool is_read_only = false;
  std::set<std::string> options;  ///< Values that a list takes; empty: any.
};
using Schema = std::map<std::string, PropertyDefinition, std::less<>>;

/// One record as it is to be written.
struct Record {
  std::string type;  ///< contacts, calls, meetings or leads.
  std::string key_property;
  std::string key;
  Properties properties;              ///< Without the key.
  std::set<std::string> dispensable;  ///< Names in `properties` that the record can do without when they are refused.
  /// What makes a record that has none of it acceptable; never sent to a record that exists.
  Properties only_at_birth;
};

/// What is not needed is left out when `schema` has no such property, or a list that does not take the value: HubSpot
/// would refuse the whole write for it.
Record to_record(CrmContact const& contact, Settings const& settings, Schema const& schema);
Record to_record(CrmAppointment const& appointment, Schema const& schema);
Record to_record(CrmLead const& lead, Settings const& settings, Schema const& schema);
Record to_record(CrmCall const& call, Schema const& schema);

/// What the functions above look for in a schema, custom fields aside, and the neighbour that shows where a key
/// belongs.
std::vector<std::string> looked_for(std::string_view type, Settings const& settings);
/// A property that every account has, in the group where our key should stand.
std::string_view neighbour_of_key(std::string_view type);

/// Takes refused properties out. False, and nothing is changed, when one of them is not dispensable or was never sent:
/// then this record will not be taken.
bool leave_out(Record& record, std::set<std::string> const& names);

/// Bodies of requests, JSON.
std::string encode_upsert(Record const& record);
/// With the link to `contact` when it is not empty.
std::string encode_create(Record const& record, std::string_view contact);
std::string encode_update(Properties const& properties);
/// A text property in `group`.
std::string encode_key_property(std::string_view type, std::string_view name, std::string_view group, bool is_unique);
/// Contacts that may have this E.164 number; what comes back must be verified.
std::string encode_phone_search(std::string_view e164);
std::string encode_key_search(std::string_view key_property, std::string_view key);

/// The number after its country code (ITU-T E.164 assignments); HubSpot's searchable form of a number.
std::string_view national_number(std::string_view e164);
/// A number as people type it, in E.164; numbers without a country code are of `country_code`. Empty for no number.
std::string to_e164(std::string_view typed, std::string_view country_code);

}  // namespace crm::hubspot
