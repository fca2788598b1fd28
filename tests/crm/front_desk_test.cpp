// The desk's other tools, who the caller is, and what others hear of it.
#include "crm/desk/dictated_number.h"
#include "crm/desk/local_time.h"
#include "tests/crm/desk_scene.h"

namespace {

using nlohmann::json;
using test::sql;

class FrontDesk : public test::DeskTest {
 protected:
  void contact(std::string const& columns, std::string const& values) {
    sql(conninfo, "insert into contacts (tenant_id, " + columns + ") values ('ten_1', " + values + ")");
  }
};

TEST_F(FrontDesk, knows_a_caller_and_what_they_have) {
  EXPECT_EQ(ask("lookup_caller")["known"], false);
  ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "Ada"}, {"service", "cleaning"}});
  auto later = caller();
  later.call = base::CallId{"call_9"};
  auto const found = ask(later, "lookup_caller");
  EXPECT_EQ(found["known"], true);
  EXPECT_EQ(found["name"], "Ada");
  ASSERT_EQ(found["appointments"].size(), 1U);
  EXPECT_EQ(found["appointments"][0]["when"], "Tuesday, March 3 at 9:00 AM");
  EXPECT_EQ(found["appointments"][0]["service"], "cleaning");
}

TEST_F(FrontDesk, offers_the_next_times_when_a_day_has_none) {
  auto const refused = ask("find_slots", {{"day", "2026-03-05"}});
  EXPECT_EQ(refused["reason"], "none_free");
  EXPECT_EQ(refused["slots"][0]["start"], "2026-03-09T09:00:00-04:00");
  auto const any = ask("find_slots");
  EXPECT_EQ(any["slots"][0]["start"], "2026-03-02T09:00:00-05:00");
  EXPECT_EQ(any["slots"].size(), 6U);
  auto const range = ask("find_slots", {{"from", "2026-03-03"}, {"to", "2026-03-04"}});
  EXPECT_EQ(range["slots"][0]["start"], "2026-03-03T09:00:00-05:00");
}

TEST_F(FrontDesk, tells_integrations_what_was_booked_with_ids_and_local_time) {
  auto const booked = ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "Ada"}});
  auto const payload = json::parse(value("payload from outbox where target = 'integration'"));
  EXPECT_EQ(payload["event"], "appointment.booked");
  EXPECT_EQ(payload["tenant_id"], "ten_1");
  EXPECT_EQ(payload["call_id"], "call_1");
  EXPECT_EQ(payload["appointment_id"], booked["appointment_id"]);
  EXPECT_EQ(payload["contact_id"], value("id from contacts"));
  EXPECT_EQ(payload["data"]["appointment"]["starts_at"], "2026-03-03T14:00:00.000Z");
  EXPECT_EQ(payload["data"]["appointment"]["local_start"], "2026-03-03T09:00:00-05:00");
  EXPECT_EQ(payload["data"]["contact"]["name"], "Ada");
}

TEST_F(FrontDesk, confirms_by_sms_where_the_caller_wants_it) {
  auto const booked = ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"phone", "(415) 555-0100"}});
  EXPECT_EQ(booked["sms_queued"], true);
  EXPECT_EQ(value("from_number || ' ' || to_number || ' ' || body from messages"),
            "+15550001111 +14155550100 Acme Dental: your appointment is on Tuesday, March 3 at 9:00 AM.");
  EXPECT_EQ(value("phone_e164 from contacts"), "+15550002222");
  EXPECT_EQ(count("contact_phones"), "0");
}

TEST_F(FrontDesk, books_nothing_with_a_number_it_did_not_get) {
  auto const refused = ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"phone", "555 0100"}});
  EXPECT_EQ(refused["reason"], "invalid_phone");
  EXPECT_EQ(count("appointments"), "0");
}

TEST_F(FrontDesk, writes_to_nobody_when_the_business_or_the_caller_does_not_want_it) {
  contact("id, full_name, phone_e164, do_not_contact", "'con_1', 'Ada', '+15550002222', true");
  EXPECT_EQ(ask("book_appointment", {{"start", "2026-03-03T09:00"}})["sms_queued"], false);
  EXPECT_EQ(ask("send_sms", {{"message", "Our address"}})["reason"], "do_not_contact");
  sql(conninfo, "update tenants set confirm_by_sms = false");
  EXPECT_EQ(ask(caller(2), "book_appointment", {{"start", "2026-03-03T10:00"}})["sms_queued"], false);
  EXPECT_EQ(count("messages"), "0");
}

TEST_F(FrontDesk, learns_a_name_but_does_not_replace_what_a_person_typed) {
  contact("id, full_name, phone_e164, typed_fields", "'con_1', 'Dr. Lovelace', '+15550002222', '{full_name}'");
  ask("update_contact", {{"name", "Ada"}, {"email", "Ada@Example.com"}, {"notes", "Prefers mornings"}});
  EXPECT_EQ(value("full_name || ' ' || email from contacts"), "Dr. Lovelace ada@example.com");
  EXPECT_EQ(value("body || ' ' || contact_id from notes where kind = 'note'"), "Prefers mornings con_1");
  ask(caller(2), "update_contact", {{"name", "Grace"}});
  ask(caller(2), "update_contact", {{"name", "Grace Hopper"}});
  EXPECT_EQ(value("full_name from contacts where phone_e164 = '+15550002223'"), "Grace Hopper");
}

TEST_F(FrontDesk, notes_a_further_number_of_a_contact) {
  ask("update_contact", {{"name", "Ada"}, {"phone", "+442079460000"}});
  EXPECT_EQ(value("phone_e164 from contacts"), "+15550002222");
  EXPECT_EQ(value("e164 from contact_phones"), "+442079460000");
  auto abroad = caller(7);
  abroad.person = "+442079460000";
  EXPECT_EQ(ask(abroad, "lookup_caller")["name"], "Ada");
}

TEST_F(FrontDesk, asks_for_the_name_where_a_family_shares_a_number) {
  contact("id, full_name, email", "'con_1', 'Ada', 'a@x.org'");
  contact("id, full_name, email", "'con_2', 'Ben', 'b@x.org'");
  sql(conninfo,
      "insert into contact_phones (tenant_id, contact_id, e164) values ('ten_1', 'con_1', '+15550002222'), "
      "('ten_1', 'con_2', '+15550002222')");
  EXPECT_EQ(ask("lookup_caller")["known"], false);
  EXPECT_EQ(ask("update_contact", {{"notes", "hello"}})["reason"], "unknown_contact");
  ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "ben"}});
  EXPECT_EQ(value("contact_id from appointments"), "con_2");
  EXPECT_EQ(count("contacts"), "2");
}

TEST_F(FrontDesk, knows_who_withheld_their_number_only_by_what_they_say) {
  EXPECT_EQ(ask(withheld(1), "book_appointment", {{"start", "2026-03-03T09:00"}})["ok"], true);
  EXPECT_EQ(count("contacts"), "0");
  EXPECT_EQ(count("messages"), "0");
  ask(withheld(2), "book_appointment", {{"start", "2026-03-03T10:00"}, {"name", "Ada"}});
  EXPECT_EQ(value("full_name from contacts where phone_e164 is null"), "Ada");
  ask(withheld(2), "update_contact", {{"phone", "+1 415 555 0100"}, {"name", "Ada Lovelace"}});
  EXPECT_EQ(value("full_name || ' ' || phone_e164 from contacts"), "Ada Lovelace +14155550100");
  ask(withheld(3), "book_appointment", {{"start", "2026-03-03T11:00"}, {"phone", "+1 415 555 0100"}});
  EXPECT_EQ(count("contacts"), "1");
  EXPECT_EQ(count("appointments where contact_id is not null"), "2");
}

TEST_F(FrontDesk, learns_later_in_a_call_for_whom_it_has_booked) {
  ask(withheld(), "book_appointment", {{"start", "2026-03-03T09:00"}});
  ask(withheld(), "book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "Ada"}});
  EXPECT_EQ(value("c.full_name from appointments a join contacts c on c.id = a.contact_id"), "Ada");
  EXPECT_EQ(count("appointments"), "1");
}

TEST_F(FrontDesk, shows_nobody_the_appointments_of_a_number_they_only_name) {
  ask(caller(1), "book_appointment", {{"start", "2026-03-03T09:00"}});
  EXPECT_EQ(ask(withheld(2), "cancel_appointment", {{"phone", "+15550002222"}})["reason"], "no_appointment");
}

TEST_F(FrontDesk, takes_a_message_once) {
  json const message{{"message", "The tooth hurts again"}, {"name", "Ada"}, {"urgent", true}, {"phone", "555 12"}};
  EXPECT_EQ(ask(caller(), "take_message", message, "tool_1")["ok"], true);
  EXPECT_EQ(ask(caller(), "take_message", message, "tool_1")["ok"], true);
  EXPECT_EQ(count("notes where kind = 'message' and call_id = 'call_1' and author = 'Ada'"), "1");
  EXPECT_EQ(value("body from notes"), "Urgent: The tooth hurts again\nCall back: 555 12");
  auto const payload = json::parse(value("payload from outbox where event = 'message.taken'"));
  EXPECT_EQ(payload["data"]["message"]["urgent"], true);
  EXPECT_EQ(payload["data"]["message"]["phone"], "+15550002222");
  EXPECT_EQ(count("outbox where event = 'message.taken'"), "1");
}

TEST_F(FrontDesk, sends_few_messages_a_call_and_each_once) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(caller(), "send_sms", {{"message", "Our address"}}, "tool_1")["ok"], true);
  EXPECT_EQ(count("messages"), "1");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask("send_sms", {{"message", "More"}})["ok"], true);
  EXPECT_EQ(ask("send_sms", {{"message", "More"}})["reason"], "too_many");
  EXPECT_EQ(ask(withheld(2), "send_sms", {{"message", "Hello"}})["reason"], "missing_phone");
}

TEST_F(FrontDesk, keeps_texts_that_are_too_long_or_broken_within_bounds) {
  crm::DeskRequest const request{.tool = "take_message",
                                 .tool_call_id = std::string(900, 't'),
                                 .parameters_json = R"({"message": ")" + std::string(5000, 'x') + R"(\u0000"})"};
  EXPECT_FALSE(run(desk->handle(caller(), request, soon())).is_error);
  EXPECT_EQ(value("length(body) from notes"), "2000");
  crm::DeskRequest const broken{
      .tool = "take_message", .tool_call_id = "tool_2", .parameters_json = "{\"message\": \"half a letter: \xC3\"}"};
  run(desk->handle(caller(), broken, soon()));
  EXPECT_EQ(count("notes where body like 'half a letter%'"), "1");
}

TEST_F(FrontDesk, says_so_when_it_has_no_such_tool) {
  auto const answer = this->answer(caller(), "order_pizza", json::object(), "tool_1");
  EXPECT_TRUE(answer.is_error);
  EXPECT_EQ(json::parse(answer.json)["reason"], "unknown_tool");
}

TEST_F(FrontDesk, answers_by_the_deadline_while_the_database_is_away) {
  kill_server();
  crm::DeskRequest const request{.tool = "find_slots", .tool_call_id = "tool_1", .parameters_json = "{}"};
  auto const answer = run(desk->handle(caller(), request, in(std::chrono::milliseconds{300})));
  EXPECT_TRUE(answer.is_error);
  EXPECT_EQ(json::parse(answer.json)["reason"], "unavailable");
  EXPECT_FALSE(run(desk->confirm(caller(), "apt_1", in(std::chrono::milliseconds{100}))));
}

TEST_F(FrontDesk, keeps_nobody_waiting_for_a_database_that_stays_away) {
  kill_server();
  auto const began = time.now();
  for (int tries = 0; tries < 5; ++tries) EXPECT_EQ(ask("find_slots")["reason"], "unavailable");
  EXPECT_LT(time.now() - began, std::chrono::seconds{3}) << "each had ten seconds";
  server()->revive();
  auto const is_back = [&] { return ask("find_slots")["ok"] == true; };
  while (!is_back() && time.now() - began < std::chrono::seconds{30});
  EXPECT_EQ(ask("find_slots")["ok"], true);
}

TEST(DictatedNumber, is_national_only_where_we_know_how_numbers_are_written) {
  EXPECT_EQ(crm::dictated_number("+1 (415) 555-0100", "+442079460000"), "+14155550100");
  EXPECT_EQ(crm::dictated_number("415.555.0100", "+15550001111"), "+14155550100");
  EXPECT_EQ(crm::dictated_number("1 415 555 0100", "+15550001111"), "+14155550100");
  EXPECT_EQ(crm::dictated_number("011 44 20 7946 0000", "+15550001111"), "+442079460000");
  EXPECT_EQ(crm::dictated_number("020 7946 0000", "+442079461111"), "+442079460000");
  EXPECT_EQ(crm::dictated_number("0049 30 901820", "+442079461111"), "+4930901820");
  EXPECT_EQ(crm::dictated_number("+44 (0)20 7946 0000", "+15550001111"), "+442079460000");
  EXPECT_FALSE(crm::dictated_number("020 7946 0000", "+390612345678"));
  EXPECT_FALSE(crm::dictated_number("555 0100", "+15550001111"));
  EXPECT_FALSE(crm::dictated_number("+1 115 555 0100", "+15550001111"));
  EXPECT_FALSE(crm::dictated_number("four one five", "+15550001111"));
  EXPECT_FALSE(crm::dictated_number("", "+15550001111"));
}

TEST(NamedTime, is_read_strictly) {
  auto const plain = crm::parse_time("2026-03-03T09:00");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->utc_offset);
  EXPECT_EQ(crm::iso_clock(plain->clock), "2026-03-03T09:00:00");
  EXPECT_EQ(base::iso8601(*crm::moment_of(*crm::parse_time("2026-03-03T09:00:00.000-05:00"))),
            "2026-03-03T14:00:00.000Z");
  EXPECT_TRUE(crm::parse_time("2026-03-03T09:00:00Z"));
  for (auto const* wrong : {"", "2026-03-03", "2026-02-30T09:00", "2026-03-03T24:00", "2026-03-03T09:00 tomorrow",
                            "9999-03-03T09:00", "2026-03-03T09:00+", "2026-03-03T09:00:0x"})
    EXPECT_FALSE(crm::parse_time(wrong)) << wrong;
  EXPECT_TRUE(crm::parse_day("2026-03-03"));
  EXPECT_FALSE(crm::parse_day("2026-03-032"));
}

TEST(SpokenTime, is_a_day_and_a_clock_of_twelve_hours) {
  auto const noon = crm::Wall{std::chrono::sys_days{std::chrono::year{2026} / 3 / 3} + std::chrono::hours{17}};
  EXPECT_EQ(crm::spoken(noon, std::chrono::hours{-5}), "Tuesday, March 3 at 12:00 PM");
  EXPECT_EQ(crm::spoken(noon, std::chrono::hours{7}), "Wednesday, March 4 at 12:00 AM");
  EXPECT_EQ(crm::iso_local(noon, std::chrono::minutes{630}), "2026-03-04T03:30:00+10:30");
}

}  // namespace
