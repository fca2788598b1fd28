#include "crm/adapters/adapters.h"
#include "tests/adapters/hubspot_scene.h"

namespace crm::hubspot {
namespace {

using Scene = HubSpotScene;
using base::Async;

class HubSpotAdapter : public testing::TestWithParam<ApiVersion> {};
INSTANTIATE_TEST_SUITE_P(Paths, HubSpotAdapter, testing::Values(ApiVersion::dated_2026_09, ApiVersion::v3),
                         [](auto const& info) { return info.param == ApiVersion::v3 ? "numbered" : "dated"; });

TEST_P(HubSpotAdapter, tells_whose_account_it_is) {
  Scene scene{GetParam()};
  scene.play([](Scene& s) -> Async<> {
    auto report = co_await s.adapter.test_connection(s.soon());
    EXPECT_TRUE(report.has_value());
    EXPECT_EQ(report->account, "4711");
  });
}

TEST_P(HubSpotAdapter, writes_contact_call_and_meeting_and_links_them) {
  Scene scene{GetParam()};
  scene.play([](Scene& s) -> Async<> {
    auto contact = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    EXPECT_TRUE(contact && contact->created);
    auto call = co_await s.adapter.log_call(Scene::call("CA1"), contact->remote_id, {}, s.soon());
    EXPECT_TRUE(call && call->created);
    auto meeting = co_await s.adapter.upsert_appointment(Scene::appointment("apt_1"), contact->remote_id, {}, s.soon());
    EXPECT_TRUE(meeting && meeting->created);
    auto lead = co_await s.adapter.create_lead(Scene::lead("lead_1"), contact->remote_id, {}, s.soon());
    EXPECT_TRUE(lead && lead->created);
  });
  auto const* call = scene.record("calls", "switchboard_call_sid", "CA1");
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->properties.at("hs_call_duration"), "83000");
  EXPECT_EQ(call->properties.at("hs_call_status"), "COMPLETED");
  auto const links = scene.sim.store().links("calls", call->id, "contacts");
  ASSERT_EQ(links.size(), 1u);
  EXPECT_EQ(links[0].type_id, 194);
  auto const* meeting = scene.record("meetings", "switchboard_appointment_key", "apt_1");
  ASSERT_NE(meeting, nullptr);
  EXPECT_EQ(scene.sim.store().links("meetings", meeting->id, "contacts").size(), 1u);
  auto const* lead = scene.record("leads", "switchboard_lead_key", "lead_1");
  ASSERT_NE(lead, nullptr);
  EXPECT_EQ(scene.sim.store().links("leads", lead->id, "contacts")[0].type_id, 578);
}

TEST_P(HubSpotAdapter, changes_nothing_when_it_says_everything_again) {
  Scene scene{GetParam()};
  scene.play([](Scene& s) -> Async<> {
    for (int i = 0; i < 3; ++i) {
      auto contact = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
      EXPECT_TRUE(contact.has_value());
      EXPECT_EQ(contact->created, i == 0);
      auto call = co_await s.adapter.log_call(Scene::call("CA1"), contact->remote_id, {}, s.soon());
      EXPECT_EQ(call->created, i == 0);
      auto lead = co_await s.adapter.create_lead(Scene::lead("lead_1"), contact->remote_id, {}, s.soon());
      EXPECT_EQ(lead->created, i == 0);
    }
  });
  for (auto const* type : {"contacts", "calls", "leads"}) EXPECT_EQ(scene.records(type).size(), 1u) << type;
  EXPECT_EQ(scene.requests("POST", "properties"), 3u) << "each key property is made once";
}

TEST_P(HubSpotAdapter, takes_over_the_contact_that_has_the_address_already) {
  Scene scene{GetParam()};
  auto const existing = scene.add_contact({{"email", "con_1@example.com"}, {"firstname", "A."}});
  scene.play([existing](Scene& s) -> Async<> {
    auto receipt = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    EXPECT_TRUE(receipt.has_value());
    EXPECT_FALSE(receipt->created);
    EXPECT_EQ(receipt->remote_id, std::to_string(existing));
    auto again = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    EXPECT_EQ(again->remote_id, receipt->remote_id);
  });
  EXPECT_EQ(scene.records("contacts").size(), 1u);
}

TEST_P(HubSpotAdapter, keeps_two_contacts_apart_that_share_an_address) {
  Scene scene{GetParam()};
  scene.play([](Scene& s) -> Async<> {
    auto first = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    auto twin = Scene::contact("con_2");
    twin.email = "con_1@example.com";
    auto second = co_await s.adapter.upsert_contact(twin, {}, s.soon());
    EXPECT_TRUE(second.has_value());
    EXPECT_NE(second->remote_id, first->remote_id);
    auto third = co_await s.adapter.upsert_contact(twin, second->remote_id, s.soon());
    EXPECT_EQ(third->remote_id, second->remote_id);
    auto fourth = co_await s.adapter.upsert_contact(twin, {}, s.soon());
    EXPECT_EQ(fourth->remote_id, second->remote_id);
  });
  EXPECT_EQ(scene.records("contacts").size(), 2u);
}

TEST(HubSpotContacts, a_number_alone_gets_a_name_but_never_loses_one) {
  Scene scene;
  CrmContact caller;
  caller.key = "con_1";
  caller.phone = "+15551230000";
  scene.play([caller](Scene& s) -> Async<> {
    auto receipt = co_await s.adapter.upsert_contact(caller, {}, s.soon());
    EXPECT_TRUE(receipt && receipt->created);
    auto* record = s.sim.store().find("contacts", receipt->remote_id);
    EXPECT_EQ(record->properties.at("lastname"), "+15551230000");
    record->properties["lastname"] = "Lovelace";
    auto again = co_await s.adapter.upsert_contact(caller, {}, s.soon());
    EXPECT_EQ(again->remote_id, receipt->remote_id);
    EXPECT_EQ(record->properties.at("lastname"), "Lovelace");
  });
}

TEST(HubSpotContacts, one_that_was_deleted_there_is_written_again) {
  Scene scene;
  scene.play([](Scene& s) -> Async<> {
    auto first = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    s.sim.store().remove("contacts", first->remote_id);
    auto second = co_await s.adapter.upsert_contact(Scene::contact("con_1"), first->remote_id, s.soon());
    EXPECT_TRUE(second && second->created);
  });
  EXPECT_EQ(scene.records("contacts").size(), 1u);
}

TEST(HubSpotContacts, a_custom_field_that_the_account_lost_is_dropped_and_the_rest_arrives) {
  Scene scene;
  auto const added = scene.sim.store().add_property("contacts", {.name = "insurance", .group = "contactinformation"});
  ASSERT_TRUE(added.has_value());
  auto contact = Scene::contact("con_1");
  contact.custom_fields["insurance"] = "A";
  scene.play([contact](Scene& s) -> Async<> {
    auto first = co_await s.adapter.upsert_contact(contact, {}, s.soon());
    EXPECT_TRUE(first.has_value());
    s.sim.store().remove_property("contacts", "insurance");
    auto second = co_await s.adapter.upsert_contact(contact, {}, s.soon());
    EXPECT_TRUE(second.has_value());
    auto third = co_await s.adapter.upsert_contact(contact, {}, s.soon());
    EXPECT_TRUE(third.has_value());
  });
  EXPECT_EQ(scene.requests("POST", "batch/upsert"), 4u) << "the schema is read anew after one refusal";
}

TEST(HubSpotContacts, an_account_with_more_properties_than_we_may_read_is_asked_for_single_ones) {
  Scene scene;
  for (int i = 0; i < 5'000; ++i) {
    auto const added = scene.sim.store().add_property(
        "contacts",
        {.name = "field_" + std::to_string(i), .label = std::string(2'000, 'x'), .group = "contactinformation"});
    ASSERT_TRUE(added.has_value());
  }
  scene.play([](Scene& s) -> Async<> {
    auto contact = Scene::contact("con_1");
    contact.company = "Engines Ltd";
    auto receipt = co_await s.adapter.upsert_contact(contact, {}, s.soon());
    EXPECT_TRUE(receipt && receipt->created);
  });
  auto const* record = scene.record("contacts", "switchboard_contact_key", "con_1");
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->properties.at("company"), "Engines Ltd");
}

TEST(HubSpotContacts, a_misheard_address_does_not_cost_the_contact) {
  Scene scene;
  auto contact = Scene::contact("con_1");
  contact.email = "ada at example";
  scene.play([contact](Scene& s) -> Async<> {
    auto receipt = co_await s.adapter.upsert_contact(contact, {}, s.soon());
    EXPECT_TRUE(receipt.has_value());
  });
  EXPECT_EQ(scene.records("contacts").size(), 1u);
}

TEST(HubSpotSearch, finds_the_very_number_however_it_was_typed_and_no_look_alike) {
  Scene scene;
  scene.add_contact({{"firstname", "Other"}, {"phone", "+445551230000"}});
  auto const right = scene.add_contact({{"firstname", "Ada"}, {"phone", "+1 5551230000"}});
  scene.play([right](Scene& s) -> Async<> {
    auto found = co_await s.adapter.find_contact("+15551230000", "", s.soon());
    EXPECT_TRUE(found && *found);
    EXPECT_EQ((*found)->remote_id, std::to_string(right));
    auto nobody = co_await s.adapter.find_contact("+15550000000", "", s.soon());
    EXPECT_TRUE(nobody && !*nobody);
  });
}

TEST(HubSpotSearch, an_address_is_looked_up_without_the_index_and_escaped) {
  Scene scene;
  scene.sim.store().index_lag = 30s;
  scene.add_contact({{"email", "ada+calls@example.com"}});
  scene.play([](Scene& s) -> Async<> {
    auto found = co_await s.adapter.find_contact("", "ada+calls@example.com", s.soon());
    EXPECT_TRUE(found && *found);
  });
  EXPECT_EQ(scene.requests("GET", "ada%2Bcalls%40example.com"), 1u);
}

TEST(HubSpotSearch, keeps_to_four_a_second) {
  Scene scene;
  scene.play([](Scene& s) -> Async<> {
    for (int i = 0; i < 4; ++i) {
      auto found = co_await s.adapter.find_contact("+15551230000", "", s.soon());
      EXPECT_TRUE(found.has_value());
    }
    auto late = co_await s.adapter.find_contact("+15551230000", "", s.time.now() + 500ms);
    EXPECT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, Kind::not_sent);
    s.time.advance(1s);
    auto found = co_await s.adapter.find_contact("+15551230000", "", s.soon());
    EXPECT_TRUE(found.has_value());
  });
}

TEST(HubSpotIntegration, is_made_from_the_settings_of_a_tenant) {
  Scene scene;
  EXPECT_TRUE(has_adapter("hubspot"));
  EXPECT_EQ(make_adapter("hubspot", {R"({"colour":"red"})", base::Secret{token}}, scene.http, scene.time), nullptr);
  auto const json = R"({"base_url":")" + scene.sim.base_url() + R"(","api_version":"v3"})";
  auto const adapter = make_adapter("hubspot", {json, base::Secret{token}}, scene.http, scene.time);
  ASSERT_NE(adapter, nullptr);
  scene.play([&adapter](Scene& s) -> Async<> {
    auto report = co_await adapter->test_connection(s.soon());
    EXPECT_TRUE(report.has_value());
  });
}

TEST(HubSpotLeads, stand_at_the_contact_where_the_account_has_none) {
  ::sim::crm::HubSpotSim::Options options;
  options.has_leads = false;
  Scene scene{ApiVersion::dated_2026_09, options};
  scene.play([](Scene& s) -> Async<> {
    auto contact = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    auto lead = co_await s.adapter.create_lead(Scene::lead("lead_1"), contact->remote_id, {}, s.soon());
    EXPECT_TRUE(lead.has_value());
    EXPECT_EQ(lead->remote_id, contact->remote_id);
  });
  EXPECT_EQ(scene.records("contacts").begin()->second.properties.at("hs_lead_status"), "NEW");
}

}  // namespace
}  // namespace crm::hubspot
