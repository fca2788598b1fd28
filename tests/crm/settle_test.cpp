// When a call ends, the database knows: once, in whatever order its records come.
#include <map>

#include "tests/crm/settle_scene.h"

namespace {

using crm::CallStatus;
using crm::Speaker;

class Settled : public test::SettledTest {
 protected:
  std::string outcomes() { return value("select count(*) from call_outcomes"); }
  std::string outbox() {
    return value("select string_agg(event, ' ' order by sequence) from outbox where integration_id = 'int_1'");
  }
};

TEST_F(Settled, calls_have_an_outcome_a_contact_and_their_tool_calls) {
  auto record = ended(call());
  record.turns = {turn(Speaker::agent, "Hello", "Hello"), turn(Speaker::caller, "A slot?", "A slot?")};
  tell(
      "insert into appointments (tenant_id, id, starts_at, ends_at, status) values ('ten_1', 'apt_1', "
      "'2027-01-01 10:00Z', '2027-01-01 10:30Z', 'confirmed')");
  asks(record, "book_appointment", R"({"name":"Ada Byron","phone":"415 555 0123"})",
       R"({"ok":true,"appointment_id":"apt_1"})");
  EXPECT_TRUE(write(record));
  EXPECT_EQ(value("select category || ' ' || confidence || ' ' || appointment_id || ' ' || follow_up "
                  "from call_outcomes where call_id = 'call_1'"),
            "appointment_booked 0.95 apt_1 false");
  EXPECT_EQ(value("select confirmation_number from call_outcomes"), "+14155550123");
  EXPECT_EQ(value("select k.full_name || ' ' || k.phone_e164 || ' ' || k.source || ' ' || c.contact_match "
                  "from calls c join contacts k on k.id = c.contact_id"),
            "Ada Byron +15550002222 call created");
  EXPECT_EQ(value("select name || ' ' || (parameters->>'name') || ' ' || (result->>'ok') from tool_calls"),
            "book_appointment Ada Byron true");
  EXPECT_EQ(stored("call_1")->tool_calls.size(), 1U);
}

TEST_F(Settled, calls_tell_each_active_integration_that_wants_to_hear) {
  add_integration("int_1");
  add_integration("int_2", "{contact.created}");
  add_integration("int_3", "{appointment.booked}");
  tell("update integrations set status = 'disabled' where id = 'int_2'");
  write(ended(call()));
  EXPECT_EQ(outbox(), "contact.created call.ended");
  EXPECT_EQ(value("select count(*) from outbox"), "2");
  EXPECT_EQ(value("select payload->'data'->'outcome'->>'category' from outbox where event = 'call.ended'"),
            "abandoned");
  EXPECT_EQ(value("select count(distinct order_key) from outbox"), "1");
}

TEST_F(Settled, calls_free_what_they_only_held) {
  tell(
      "insert into appointments (tenant_id, id, call_id, starts_at, ends_at, status, held_until) values "
      "('ten_1', 'apt_1', 'call_1', '2027-01-01 10:00Z', '2027-01-01 10:30Z', 'held', now() + interval '5 min'), "
      "('ten_1', 'apt_2', 'call_2', '2027-01-01 11:00Z', '2027-01-01 11:30Z', 'held', now() + interval '5 min')");
  write(ended(call()));
  EXPECT_EQ(value("select string_agg(id, ' ') from appointments"), "apt_2");
}

TEST_F(Settled, calls_know_a_booking_whose_answer_the_record_lost) {
  tell(
      "insert into appointments (tenant_id, id, call_id, starts_at, ends_at, status) values "
      "('ten_1', 'apt_1', 'call_1', '2027-01-01 10:00Z', '2027-01-01 10:30Z', 'unconfirmed')");
  write(call());
  EXPECT_TRUE(close(call(), CallStatus::failed));
  EXPECT_EQ(value("select category || ' ' || appointment_id || ' ' || follow_up from call_outcomes"),
            "appointment_booked apt_1 true");
}

TEST_F(Settled, open_calls_have_no_outcome_yet) {
  write(call());
  EXPECT_EQ(outcomes(), "0");
  EXPECT_EQ(value("select count(*) from contacts"), "0");
}

TEST_F(Settled, calls_closed_from_outside_are_told_as_well) {
  add_integration("int_1");
  auto record = call();
  asks(record, "take_message", R"({"message":"Call me"})");
  write(record);
  EXPECT_TRUE(close(record));
  EXPECT_FALSE(close(record));
  EXPECT_EQ(value("select category from call_outcomes"), "message_taken");
  EXPECT_EQ(outbox(), "contact.created call.ended");
}

TEST_F(Settled, calls_of_a_lost_node_are_corrected_by_their_true_record_as_long_as_nobody_was_told) {
  add_integration("int_1");
  write(call());
  close(call(), CallStatus::failed);
  EXPECT_EQ(value("select category || ' ' || follow_up from call_outcomes"), "failed true");
  auto late = ended(call());
  asks(late, "book_appointment", "{}");
  write(late);
  EXPECT_EQ(value("select category || ' ' || follow_up from call_outcomes"), "appointment_booked false");
  EXPECT_EQ(value("select payload->'data'->'outcome'->>'category' from outbox where event = 'call.ended'"),
            "appointment_booked");
  EXPECT_EQ(outbox(), "contact.created call.ended");
}

TEST_F(Settled, calls_that_were_begun_twice_settle_under_their_first_id) {
  write(call());
  auto again = ended(call());
  again.id = base::CallId{"call_other"};
  tell(
      "insert into appointments (tenant_id, id, call_id, starts_at, ends_at, status) values "
      "('ten_1', 'apt_1', 'call_other', '2027-01-01 10:00Z', '2027-01-01 10:30Z', 'confirmed')");
  write(again);
  EXPECT_EQ(value("select call_id || ' ' || appointment_id from call_outcomes"), "call_1 apt_1");
}

TEST_F(Settled, messages_that_the_database_did_not_take_are_notes) {
  constexpr auto away = R"({"ok":false,"reason":"unavailable"})";
  auto record = ended(call());
  asks(record, "take_message", R"({"message":"The tooth hurts again","name":"Ada"})", away);
  asks(record, "book_appointment", R"({"start":"2027-01-01T10:00","service":"check-up"})", away);
  asks(record, "take_message", R"({"message":"bad","name":"x"})", R"({"ok":false,"reason":"invalid_parameters"})");
  write(record);
  auto later = record;
  later.version += 1;
  write(later);
  EXPECT_EQ(value("select string_agg(body, '|' order by id) from notes where kind = 'message'"),
            "The tooth hurts again\nName: Ada|Asked for an appointment that could not be booked.\nWhen: "
            "2027-01-01T10:00\nService: check-up");
  EXPECT_EQ(value("select count(*) from notes where contact_id is not null and call_id = 'call_1'"), "2");
  EXPECT_EQ(value("select category || ' ' || follow_up from call_outcomes"), "message_taken true");
}

TEST_F(Settled, messages_that_the_database_did_not_take_are_told_like_any_other) {
  add_integration("int_1");
  auto record = ended(call());
  asks(record, "take_message", R"({"message":"Call me","urgent":true})", R"({"ok":false,"reason":"unavailable"})");
  write(record);
  EXPECT_EQ(outbox(), "contact.created message.taken call.ended");
  EXPECT_EQ(value("select payload->'data'->'message'->>'body' from outbox where event = 'message.taken'"),
            "Urgent: Call me");
}

TEST_F(Settled, messages_whose_answer_was_lost_are_no_second_note) {
  auto record = ended(call());
  asks(record, "take_message", R"({"message":"Call me"})", R"({"ok":false,"reason":"unavailable"})");
  tell("insert into inbox (source, key, status) values ('desk', 'ten_1:call_1:tc_0', 'applied')");
  write(record);
  EXPECT_EQ(value("select count(*) from notes"), "0");
}

TEST_F(Settled, bookings_that_nobody_heard_need_a_person) {
  for (auto const* status : {"unconfirmed", "confirmed"}) {
    bool const heard = std::string_view{status} == "confirmed";
    int const number = heard ? 1 : 2;
    auto const apt = "apt_" + std::to_string(number);
    auto record = ended(call(number));
    tell("insert into appointments (tenant_id, id, calendar, call_id, starts_at, ends_at, status) values ('ten_1', '" +
         apt + "', '" + status + "', '" + record.id.text() + "', '2027-01-01 10:00Z', '2027-01-01 10:30Z', '" + status +
         "')");
    asks(record, "book_appointment", "{}", R"({"ok":true,"appointment_id":")" + apt + "\"}");
    write(record);
    EXPECT_EQ(value("select category || ' ' || follow_up from call_outcomes where appointment_id = '" + apt + "'"),
              heard ? "appointment_booked false" : "appointment_booked true");
  }
}

TEST_F(Settled, messages_that_were_taken_after_all_are_no_second_note) {
  auto record = ended(call());
  asks(record, "take_message", R"({"message":"Call me"})", R"({"ok":false,"reason":"unavailable"})");
  asks(record, "take_message", R"({"message":"Call me"})");
  write(record);
  EXPECT_EQ(value("select count(*) from notes"), "0");
}

TEST_F(Settled, records_can_hold_whatever_tools_were_given) {
  auto record = ended(call());
  asks(record, "odd\xff", "not json \xff", std::string{"\0", 1});
  asks(record, "nul", R"({"a\u0000":["\u0000", 1]})", R"({"ok":true,"text":")" + std::string(70'000, 'x') + "\"}");
  EXPECT_TRUE(write(record));
  EXPECT_EQ(value("select count(*) from tool_calls"), "2");
}

TEST_F(Settled, calls_are_the_same_however_their_records_came) {
  enum class Event { open, terminal, newer, close, webhook, poll };
  constexpr std::array all{Event::open, Event::terminal, Event::newer, Event::close};
  add_integration("int_1");
  int number = 7'654'000;
  std::map<std::pair<bool, bool>, std::map<std::string, std::string>> seen;  // rows by what came, and how it came

  auto const play = [&](std::vector<Event> const& events) {
    // Long enough to be found in the rows and nowhere else.
    auto const n = std::to_string(++number);
    auto open = call(number);
    open.from = "+1555" + n;
    open.conversation_id = "conv_" + n;
    tell(
        "insert into appointments (tenant_id, id, calendar, call_id, starts_at, ends_at, status, held_until) values "
        "('ten_1', 'apt_" +
        n + "', '" + n +
        "', null, '2027-01-01 10:00Z', '2027-01-01 10:30Z', 'confirmed', null), "
        "('ten_1', 'apt_h" +
        n + "', '" + n + "', '" + open.id.text() +
        "', '2027-01-01 11:00Z', '2027-01-01 11:30Z', 'held', '2027-01-01')");
    auto terminal = ended(open);
    asks(terminal, "book_appointment", R"({"name":"Ada"})", R"({"ok":true,"appointment_id":"apt_)" + n + "\"}");
    asks(terminal, "take_message", R"({"message":"Hi"})", R"({"ok":false,"reason":"unavailable"})");
    auto newer = terminal;
    newer.version += 1;
    crm::Enrichment webhook{.conversation_id = "conv_" + n, .at = crm::Wall{test::seconds{1'769'900'000}}};
    webhook.summary = "webhook";
    auto poll = webhook;
    poll.from = crm::Enrichment::From::poll;
    poll.summary = "poll";
    poll.collected_json = R"({"name": "Ada"})";
    asks(newer, "update_contact", R"({"email":"ada)" + n + R"(@example.com"})");
    std::string how;
    bool has_terminal = false;
    bool has_newer = false;
    bool is_told = false;
    for (auto const event : events) {
      how += "otncwp"[static_cast<int>(event)];
      has_terminal |= event == Event::terminal;
      has_newer |= event == Event::newer;
      if (event == Event::open) write(open);
      if (event == Event::terminal) write(terminal);
      if (event == Event::newer) write(newer);
      if (event == Event::close) close(open);
      if (event == Event::webhook) enrich(webhook);
      if (event == Event::poll) enrich(poll);
      is_told |= event == Event::webhook;
    }
    if (!has_terminal && !has_newer) return;
    // Everything a reader would see, without ids and times of its own.
    auto rows = value(
        "select jsonb_build_object("
        "'outcome', (select jsonb_agg(to_jsonb(o) - 'created_at' - 'contact_id' - 'call_id') from call_outcomes o "
        "where "
        "o.call_id = c.id), "
        "'linked', (select count(*) from call_outcomes o where o.call_id = c.id and o.contact_id = c.contact_id), "
        "'match', c.contact_match, "
        "'contact', (select jsonb_agg(jsonb_build_array(full_name, email, phone_e164, source)) from contacts k where "
        "k.phone_e164 = c.from_number), "
        "'tools', (select jsonb_agg(to_jsonb(t) - 'call_id' order by ordinal) from tool_calls t where t.call_id = "
        "c.id), "
        "'notes', (select jsonb_agg(body) from notes where call_id = c.id), "
        "'held', (select count(*) from appointments where id = 'apt_h" +
        n +
        "'), "
        "'outbox', (select jsonb_agg(jsonb_build_array(event, case when event = 'call.ended' then (payload->'data') - "
        "'started_at' - 'ended_at' end) "
        "order by event) from outbox where call_id = c.id)) from calls c where call_sid = '" +
        open.call_sid.text() + "'");
    for (auto at = rows.find(n); at != std::string::npos; at = rows.find(n, at)) rows.replace(at, n.size(), "N");
    seen[{has_newer, is_told}][rows] += how + " ";
  };

  std::vector<Event> events;
  auto const play_all = [&](auto const& self, std::size_t longest) -> void {
    if (!events.empty()) play(events);
    if (events.size() == longest) return;
    for (auto const event : all) {
      events.push_back(event);
      self(self, longest);
      events.pop_back();
    }
  };
  play_all(play_all, 4);
  events = {Event::open, Event::terminal, Event::terminal, Event::newer, Event::close};
  do play(events);
  while (std::ranges::next_permutation(events).found);

  // What the provider says, asked or not, comes in between.
  std::vector later{Event::terminal, Event::newer, Event::close, Event::webhook, Event::poll};
  do {
    events = {Event::open};
    events.insert(events.end(), later.begin(), later.end());
    play(events);
  } while (std::ranges::next_permutation(later).found);

  ASSERT_EQ(seen.size(), 3U);
  for (auto const& [what, kinds] : seen) {
    EXPECT_EQ(kinds.size(), 1U) << kinds.begin()->second << "\n"
                                << kinds.begin()->first << "\n"
                                << kinds.rbegin()->second << "\n"
                                << kinds.rbegin()->first;
  }
  auto const& rows = seen[{true, true}].begin()->first;
  EXPECT_NE(rows.find("appointment_booked"), std::string::npos) << rows;
}

}  // namespace
