#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "crm/adapters/hubspot/mapping.h"

namespace crm::hubspot {
namespace {

using namespace std::chrono_literals;

constexpr auto nine = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + 9h;

std::string golden(std::string const& name) {
  std::ifstream file{TEST_DATA "/hubspot/" + name};
  std::ostringstream text;
  text << file.rdbuf();
  auto content = text.str();
  while (content.ends_with('\n')) content.pop_back();
  return content;
}

/// An account that has these properties, any value allowed.
Schema schema_with(std::initializer_list<char const*> names) {
  Schema schema;
  for (auto const* name : names) schema[name] = {.name = name, .group = "group"};
  return schema;
}

Schema call_schema() {
  return schema_with({"hs_call_from_number", "hs_call_to_number", "hs_call_status", "hs_call_disposition",
                      "hs_call_body", "hs_call_recording_url"});
}

CrmContact ada() {
  CrmContact contact;
  contact.key = "con_77";
  contact.first_name = "Ada";
  contact.last_name = "Lovelace";
  contact.email = "ada@example.com";
  contact.phone = "+15551230000";
  contact.company = "Engines Ltd";
  contact.tags = {"vip", "recall; soon"};
  contact.source = "phone";
  contact.custom_fields = {{"insurance", "A \"quoted\" one"}, {"unknown_here", "x"}};
  return contact;
}

CrmCall answered_call() {
  CrmCall call;
  call.key = "CA00000000000000000000000000000001";
  call.from = "+15551230000";
  call.to = "+15559870000";
  call.started_at = nine;
  call.duration = 83s;
  call.status = "completed";
  call.outcome = "appointment_booked";
  call.summary = "Cleaning on Monday.";
  call.recording_url = "https://example.com/r/1.mp3";
  return call;
}

TEST(HubSpotMapping, a_contact_is_upserted_by_our_key_with_what_the_account_knows) {
  Settings const settings;
  auto const schema = schema_with({"company", "switchboard_tags", "insurance"});
  EXPECT_EQ(encode_upsert(to_record(ada(), settings, schema)), golden("contact_upsert.json"));
}

TEST(HubSpotMapping, a_call_is_one_engagement_with_milliseconds_and_a_disposition) {
  EXPECT_EQ(encode_upsert(to_record(answered_call(), call_schema())), golden("call_upsert.json"));
}

TEST(HubSpotMapping, a_call_can_be_born_with_its_contact) {
  EXPECT_EQ(encode_create(to_record(answered_call(), call_schema()), "512"), golden("call_create.json"));
}

TEST(HubSpotMapping, an_appointment_is_a_meeting) {
  CrmAppointment appointment;
  appointment.key = "apt_1";
  appointment.title = "Cleaning";
  appointment.starts_at = nine;
  appointment.ends_at = nine + 30min;
  appointment.location = "Main street 1";
  appointment.notes = "First visit";
  appointment.status = "confirmed";
  auto const schema = schema_with({"hs_meeting_location", "hs_internal_meeting_notes", "hs_meeting_outcome"});
  EXPECT_EQ(encode_upsert(to_record(appointment, schema)), golden("meeting_upsert.json"));
}

TEST(HubSpotMapping, a_lead_is_born_with_its_contact) {
  CrmLead lead;
  lead.key = "lead_1";
  lead.business_name = "Acme Plumbing";
  lead.category = "NEW BUSINESS";
  auto const record = to_record(lead, Settings{}, schema_with({"hs_lead_type"}));
  EXPECT_EQ(encode_create(record, "512"), golden("lead_create.json"));
}

TEST(HubSpotMapping, a_phone_search_asks_for_the_number_in_every_form) {
  EXPECT_EQ(encode_phone_search("+15551230000"), golden("phone_search.json"));
}

TEST(HubSpotMapping, the_key_property_is_unique) {
  EXPECT_EQ(encode_key_property("calls", call_key_property, "call", true), golden("key_property.json"));
}

TEST(HubSpotMapping, a_list_that_lacks_the_value_is_left_alone) {
  auto schema = call_schema();
  schema["hs_call_disposition"].options = {"somebody's own"};
  auto const record = to_record(answered_call(), schema);
  EXPECT_FALSE(record.properties.contains("hs_call_disposition"));
  EXPECT_TRUE(record.properties.contains("hs_call_status"));
}

TEST(HubSpotMapping, a_recording_without_https_is_not_sent) {
  auto call = answered_call();
  call.recording_url = "http://example.com/r/1.mp3";
  EXPECT_FALSE(to_record(call, call_schema()).properties.contains("hs_call_recording_url"));
}

TEST(HubSpotMapping, a_number_alone_is_a_contact_that_is_named_only_when_it_is_born) {
  CrmContact contact;
  contact.key = "con_1";
  contact.phone = "+15551230000";
  auto const record = to_record(contact, Settings{}, {});
  EXPECT_FALSE(record.properties.contains("lastname"));
  EXPECT_EQ(record.only_at_birth.at("lastname"), "+15551230000");
}

TEST(HubSpotMapping, a_refused_custom_property_is_left_out_and_a_needed_one_is_not) {
  auto record = to_record(ada(), Settings{}, schema_with({"insurance"}));
  EXPECT_FALSE(leave_out(record, {"firstname"}));
  EXPECT_FALSE(leave_out(record, {"insurance", "firstname"}));
  EXPECT_FALSE(leave_out(record, {}));
  EXPECT_TRUE(leave_out(record, {"insurance"}));
  EXPECT_FALSE(record.properties.contains("insurance"));
  EXPECT_TRUE(record.properties.contains("firstname"));
}

TEST(HubSpotMapping, a_long_text_is_cut_between_characters) {
  auto call = answered_call();
  call.summary.clear();
  for (int i = 0; i < 50'000; ++i) call.summary += "\xC3\xA4";
  auto const body = to_record(call, call_schema()).properties.at("hs_call_body");
  EXPECT_LE(body.size(), 60'000u);
  EXPECT_TRUE(body.ends_with("\xC3\xA4"));
}

TEST(HubSpotMapping, text_that_is_no_utf8_still_makes_json) {
  auto contact = ada();
  contact.first_name =
      "A\xFF"
      "da";
  auto const body = encode_upsert(to_record(contact, Settings{}, {}));
  EXPECT_NE(body.find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(HubSpotNumbers, lose_their_country_code_as_assigned) {
  EXPECT_EQ(national_number("+15551230000"), "5551230000");
  EXPECT_EQ(national_number("+4917112345678"), "17112345678");
  EXPECT_EQ(national_number("+35312345678"), "12345678");
  EXPECT_EQ(national_number("+79161234567"), "9161234567");
}

TEST(HubSpotNumbers, are_read_as_people_type_them) {
  EXPECT_EQ(to_e164("(555) 123-0000", "1"), "+15551230000");
  EXPECT_EQ(to_e164("1 555 123 0000", "1"), "+15551230000");
  EXPECT_EQ(to_e164("+1 555.123.0000 ext. 4", "1"), "+15551230000");
  EXPECT_EQ(to_e164("0171 / 1234567", "49"), "+491711234567");
  EXPECT_EQ(to_e164("0049 171 1234567", "1"), "+491711234567");
  EXPECT_EQ(to_e164("call me", "1"), "");
}

TEST(HubSpotSettings, choose_the_family_of_paths) {
  Paths const dated{ApiVersion::dated_2026_09};
  Paths const numbered{ApiVersion::v3};
  EXPECT_EQ(dated.objects("contacts"), "/crm/objects/2026-09/contacts");
  EXPECT_EQ(numbered.objects("contacts"), "/crm/v3/objects/contacts");
  EXPECT_EQ(dated.link("calls", "1", "contacts", "2"), "/crm/objects/2026-09/calls/1/associations/default/contacts/2");
  EXPECT_EQ(numbered.link("calls", "1", "contacts", "2"), "/crm/v4/objects/calls/1/associations/default/contacts/2");
  EXPECT_EQ(dated.object("contacts", "+1/a b"), "/crm/objects/2026-09/contacts/%2B1%2Fa%20b");
}

TEST(HubSpotSettings, are_read_from_the_integration_and_refuse_what_they_do_not_know) {
  auto const read = read_settings(R"({"base_url":"https://example.com/","api_version":"v3"})", base::Secret{"t"});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->base_url, "https://example.com");
  EXPECT_EQ(read->version, ApiVersion::v3);
  EXPECT_FALSE(read_settings(R"({"api_version":"v9"})", base::Secret{"t"}).has_value());
  EXPECT_FALSE(read_settings(R"({"base_url":"ftp://example.com"})", base::Secret{"t"}).has_value());
  EXPECT_FALSE(read_settings(R"({"colour":"red"})", base::Secret{"t"}).has_value());
  EXPECT_FALSE(read_settings("{}", base::Secret{}).has_value());
}

}  // namespace
}  // namespace crm::hubspot
