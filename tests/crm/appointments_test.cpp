// Booking at the desk: who gets a time, and that it is only one.
#include <gmock/gmock.h>

#include <boost/asio/detached.hpp>
#include <thread>

#include "tests/crm/desk_scene.h"

namespace {

using nlohmann::json;
using std::chrono::minutes;
using test::sql;

class Appointments : public test::DeskTest {
 protected:
  json book(json const& parameters, int call = 1, std::string id = "") {
    return ask(caller(call), "book_appointment", parameters, std::move(id));
  }
};

TEST_F(Appointments, are_booked_at_a_time_that_was_offered) {
  auto const offered = ask("find_slots", {{"day", "2026-03-03"}});
  ASSERT_EQ(offered["slots"].size(), 3U);
  EXPECT_EQ(offered["slots"][0]["say"], "Tuesday, March 3 at 9:00 AM");
  auto const booked =
      book({{"start", offered["slots"][1]["start"]}, {"service", "cleaning"}, {"name", "Ada Lovelace"}});
  EXPECT_EQ(booked["ok"], true);
  EXPECT_EQ(booked["start"], "2026-03-03T10:00:00-05:00");
  EXPECT_EQ(booked["status"], "unconfirmed");
  EXPECT_EQ(value("starts_at at time zone 'America/New_York' from appointments"), "2026-03-03 10:00:00");
  EXPECT_EQ(value("full_name || ' ' || phone_e164 || ' ' || source from contacts"), "Ada Lovelace +15550002222 call");
  EXPECT_EQ(count("appointments a join contacts c on c.id = a.contact_id where service = 'cleaning'"), "1");
}

TEST_F(Appointments, may_be_asked_for_by_the_tenants_clock_or_any_other) {
  EXPECT_EQ(book({{"start", "2026-03-03T09:00"}}, 1)["ok"], true);
  EXPECT_EQ(book({{"start", "2026-03-03T15:00:00Z"}}, 2)["start"], "2026-03-03T10:00:00-05:00");
  EXPECT_EQ(book({{"start", "2026-03-03 11:00:00"}}, 3)["ok"], true);
}

TEST_F(Appointments, are_never_searched_for_in_the_index_that_forbids_overlaps) {
  // 0004_overlap_guard.sql has the reason. The query asks just what that index knows.
  auto const plan = sql(
      conninfo,
      "begin; drop index appointments_by_start; "
      "insert into appointments (tenant_id, id, starts_at, ends_at, status) select 'ten_1', 'apt_' || n, "
      "now() + n * interval '1 hour', now() + (n + 1) * interval '1 hour', 'confirmed' from generate_series(1, 999) n; "
      "analyze appointments; "
      "explain (format json) select one.taken from generate_series(1, 9) free (at), lateral (select exists ("
      "select from appointments where tenant_id = 'ten_1' and calendar = 'main' "
      "and status in ('held', 'unconfirmed', 'confirmed') and tstzrange(starts_at, ends_at) && "
      "tstzrange(now() + free.at * interval '1 hour', now() + free.at * interval '2 hours')) as taken) one");
  EXPECT_THAT(plan, testing::HasSubstr("\"Relation Name\": \"appointments\""));
  EXPECT_THAT(plan, testing::Not(testing::HasSubstr("appointments_overlap")));
}

TEST_F(Appointments, that_are_asked_for_twice_are_one_with_the_same_answer) {
  auto const first = answer(caller(), "book_appointment", {{"start", "2026-03-03T09:00"}}, "tool_1");
  auto const second = answer(caller(), "book_appointment", {{"start", "2026-03-03T09:00"}}, "tool_1");
  EXPECT_EQ(first.json, second.json);
  ASSERT_TRUE(first.to_read_back);
  EXPECT_EQ(first.to_read_back, second.to_read_back);
  EXPECT_EQ(count("appointments"), "1");
  EXPECT_EQ(count("messages"), "1");
  EXPECT_EQ(count("outbox where target = 'integration'"), "1");
}

TEST_F(Appointments, that_an_agent_asks_for_again_in_other_words_are_one) {
  auto const first = book({{"start", "2026-03-03T09:00"}});
  auto const second = book({{"start", "2026-03-03T09:00:00-05:00"}, {"notes", "again"}});
  EXPECT_EQ(first["appointment_id"], second["appointment_id"]);
  EXPECT_EQ(count("appointments"), "1");
}

TEST_F(Appointments, that_the_caller_already_has_from_another_call_are_not_taken_for_them) {
  auto const first = book({{"start", "2026-03-03T09:00"}});
  auto same_person = caller();
  same_person.call = base::CallId{"call_9"};
  auto const second = ask(same_person, "book_appointment", {{"start", "2026-03-03T09:00"}});
  EXPECT_EQ(second["appointment_id"], first["appointment_id"]);
  EXPECT_EQ(count("appointments"), "1");
  EXPECT_EQ(count("outbox where event = 'appointment.booked'"), "1");
}

TEST_F(Appointments, are_refused_outside_of_hours_off_the_grid_too_soon_and_too_far) {
  EXPECT_EQ(book({{"start", "2026-03-03T15:00"}})["reason"], "outside_hours");
  EXPECT_EQ(book({{"start", "2026-03-03T09:30"}})["reason"], "outside_hours");
  EXPECT_EQ(book({{"start", "2026-03-01T09:00"}})["reason"], "outside_hours");
  EXPECT_EQ(book({{"start", "2026-06-01T09:00"}})["reason"], "too_far");
  EXPECT_EQ(book({{"start", "tomorrow at nine"}})["reason"], "invalid_start");
  EXPECT_EQ(book(json::object())["reason"], "invalid_start");
  day.passes(minutes{61});
  auto const soon = book({{"start", "2026-03-02T09:00"}});
  EXPECT_EQ(soon["reason"], "too_soon");
  EXPECT_EQ(soon["slots"][0]["start"], "2026-03-02T11:00:00-05:00");
  EXPECT_EQ(count("appointments"), "0");
  EXPECT_EQ(count("contacts"), "0");
}

TEST_F(Appointments, that_are_taken_lead_to_the_next_that_are_free) {
  book({{"start", "2026-03-02T11:00"}}, 1);
  auto const refused = book({{"start", "2026-03-02T11:00"}}, 2);
  EXPECT_EQ(refused["ok"], false);
  EXPECT_EQ(refused["reason"], "taken");
  ASSERT_EQ(refused["slots"].size(), 3U);
  EXPECT_EQ(refused["slots"][0]["start"], "2026-03-02T13:00:00-05:00");
  EXPECT_EQ(refused["say"],
            "That time is taken. I could offer Monday, March 2 at 1:00 PM, Monday, March 2 at 2:00 PM or Monday, "
            "March 2 at 3:00 PM.");
}

TEST_F(Appointments, are_given_to_one_of_two_hundred_callers_who_want_the_same_hour) {
  std::vector<json> answers;
  auto const one = [&](int number) -> base::Async<> {
    crm::DeskRequest request{.tool = "book_appointment",
                             .tool_call_id = "tool_1",
                             .parameters_json = R"({"start": "2026-03-03T09:00:00-05:00"})"};
    auto const answer = co_await desk->handle(caller(number), std::move(request), in(std::chrono::seconds{50}));
    answers.push_back(json::parse(answer.json));
  };
  for (int number = 1; number <= 200; ++number) asio::co_spawn(loop, one(number), asio::detached);
  loop.restart();
  loop.run();
  auto const booked = std::ranges::count_if(answers, [](json const& answer) { return answer["ok"] == true; });
  auto const offers = std::ranges::count_if(answers, [](json const& answer) {
    return answer.value("reason", "") == "taken" && answer["slots"][0]["start"] == "2026-03-03T10:00:00-05:00";
  });
  EXPECT_EQ(booked, 1);
  EXPECT_EQ(offers, 199);
  EXPECT_EQ(count("appointments"), "1");
  EXPECT_EQ(count("contacts"), "1");
  EXPECT_EQ(count("messages"), "1");
  EXPECT_EQ(count("outbox where event = 'appointment.booked'"), "1");
}

TEST_F(Appointments, that_one_request_asks_for_ten_times_at_once_are_one_with_one_answer) {
  std::vector<std::string> answers;
  auto const again = [&]() -> base::Async<> {
    crm::DeskRequest request{.tool = "book_appointment",
                             .tool_call_id = "tool_1",
                             .parameters_json = R"({"start": "2026-03-03T09:00:00-05:00"})"};
    auto const answer = co_await desk->handle(caller(), std::move(request), soon());
    answers.push_back(answer.json);
  };
  for (int i = 0; i < 10; ++i) asio::co_spawn(loop, again(), asio::detached);
  loop.restart();
  loop.run();
  EXPECT_EQ(answers, std::vector<std::string>(10, answers.at(0)));
  EXPECT_EQ(json::parse(answers.at(0))["ok"], true);
  EXPECT_EQ(count("appointments"), "1");
}

TEST_F(Appointments, that_somebody_outside_the_desk_takes_in_the_same_moment_are_theirs) {
  std::unique_ptr<PGconn, void (*)(PGconn*)> const office{PQconnectdb(conninfo.c_str()), PQfinish};
  auto const does = [&](char const* text) { PQclear(PQexec(office.get(), text)); };
  does("begin");
  does(
      "insert into appointments (tenant_id, id, starts_at, ends_at, status) values ('ten_1', 'apt_office', "
      "'2026-03-03 09:00-05', '2026-03-03 10:00-05', 'confirmed')");
  std::jthread const commits_when_the_desk_waits{[&] {
    while (sql(conninfo, "select count(*) from pg_locks where not granted") == "0") std::this_thread::yield();
    does("commit");
  }};
  auto const refused = book({{"start", "2026-03-03T09:00"}});
  EXPECT_EQ(refused["reason"], "taken");
  EXPECT_EQ(refused["slots"][0]["start"], "2026-03-03T10:00:00-05:00");
  EXPECT_EQ(count("appointments"), "1");
  EXPECT_EQ(count("contacts"), "0");
  EXPECT_EQ(count("outbox"), "0");
}

TEST_F(Appointments, are_kept_for_a_caller_who_thinks_and_for_nobody_else) {
  EXPECT_EQ(ask(caller(1), "hold_slot", {{"start", "2026-03-03T09:00"}})["ok"], true);
  EXPECT_EQ(book({{"start", "2026-03-03T09:00"}}, 2)["reason"], "taken");
  EXPECT_EQ(book({{"start", "2026-03-03T09:00"}}, 1)["ok"], true);
  EXPECT_EQ(count("appointments"), "1");
  EXPECT_EQ(value("status from appointments"), "unconfirmed");
}

TEST_F(Appointments, are_free_again_when_a_hold_ends_a_call_ends_or_the_caller_holds_another) {
  ask(caller(1), "hold_slot", {{"start", "2026-03-03T09:00"}});
  ask(caller(1), "hold_slot", {{"start", "2026-03-03T10:00"}});
  EXPECT_EQ(book({{"start", "2026-03-03T09:00"}}, 2)["ok"], true);
  EXPECT_EQ(book({{"start", "2026-03-03T10:00"}}, 3)["reason"], "taken");
  day.passes(minutes{5});
  EXPECT_EQ(book({{"start", "2026-03-03T10:00"}}, 3)["ok"], true);
  ask(caller(4), "hold_slot", {{"start", "2026-03-03T11:00"}});
  release_holds(caller(4));
  EXPECT_EQ(book({{"start", "2026-03-03T11:00"}}, 5)["ok"], true);
}

TEST_F(Appointments, are_confirmed_once_the_caller_has_heard_them) {
  auto const id = book({{"start", "2026-03-03T09:00"}})["appointment_id"].get<std::string>();
  EXPECT_TRUE(confirm(id));
  EXPECT_TRUE(confirm(id));
  EXPECT_EQ(value("status || version from appointments"), "confirmed2");
  EXPECT_EQ(count("outbox where event = 'appointment.confirmed'"), "1");
  EXPECT_FALSE(confirm("apt_unknown"));
  auto stranger = caller();
  stranger.tenant = base::TenantId{"ten_2"};
  EXPECT_FALSE(confirm(id, stranger));
}

TEST_F(Appointments, can_be_moved_and_are_unconfirmed_again) {
  auto const id = book({{"start", "2026-03-03T09:00"}})["appointment_id"].get<std::string>();
  confirm(id);
  auto const moved = ask(caller(), "reschedule_appointment", {{"new_start", "2026-03-04T10:00"}}, "tool_move");
  EXPECT_EQ(moved["ok"], true);
  EXPECT_EQ(moved["appointment_id"], id);
  EXPECT_EQ(moved["start"], "2026-03-04T10:00:00-05:00");
  EXPECT_EQ(ask(caller(), "reschedule_appointment", {{"new_start", "2026-03-04T10:00"}}, "tool_move"), moved);
  EXPECT_EQ(value("status || version from appointments"), "unconfirmed3");
  EXPECT_EQ(count("outbox where event = 'appointment.rescheduled'"), "1");
  EXPECT_EQ(value("body from messages where body like '%moved%'"),
            "Acme Dental: your appointment has been moved to Wednesday, March 4 at 10:00 AM.");
}

TEST_F(Appointments, that_move_to_and_fro_do_not_fill_the_callers_phone) {
  book({{"start", "2026-03-03T09:00"}});
  for (int i = 0; i < 12; ++i) {
    auto const* const start = i % 2 == 0 ? "2026-03-03T10:00" : "2026-03-03T09:00";
    EXPECT_EQ(ask("reschedule_appointment", {{"new_start", start}})["ok"], true);
  }
  EXPECT_EQ(count("messages"), "10");
  EXPECT_EQ(count("outbox where event = 'appointment.rescheduled'"), "12");
}

TEST_F(Appointments, stay_where_they_are_when_the_new_time_is_taken) {
  book({{"start", "2026-03-03T09:00"}}, 1);
  book({{"start", "2026-03-03T10:00"}}, 2);
  auto const refused = ask(caller(1), "reschedule_appointment", {{"new_start", "2026-03-03T10:00"}});
  EXPECT_EQ(refused["reason"], "taken");
  EXPECT_EQ(refused["slots"][0]["start"], "2026-03-03T11:00:00-05:00");
  EXPECT_EQ(count("appointments where version = 1"), "2");
}

TEST_F(Appointments, can_be_cancelled_once_and_the_time_is_free_again) {
  book({{"start", "2026-03-03T09:00"}});
  book({{"start", "2026-03-04T09:00"}});
  EXPECT_EQ(ask("cancel_appointment")["reason"], "which_appointment");
  auto const first = ask("lookup_caller")["appointments"][0]["appointment_id"];
  auto const cancelled = ask(caller(), "cancel_appointment", {{"appointment_id", first}}, "tool_cancel");
  EXPECT_EQ(cancelled["status"], "cancelled");
  EXPECT_EQ(ask(caller(), "cancel_appointment", json::object(), "tool_cancel"), cancelled);
  EXPECT_EQ(count("appointments where status = 'cancelled'"), "1");
  EXPECT_EQ(count("outbox where event = 'appointment.cancelled'"), "1");
  EXPECT_EQ(book({{"start", "2026-03-03T09:00"}}, 2)["ok"], true);
}

TEST_F(Appointments, of_other_callers_and_tenants_are_not_found) {
  auto const id = book({{"start", "2026-03-03T09:00"}}, 1)["appointment_id"];
  EXPECT_EQ(ask(caller(2), "cancel_appointment", {{"appointment_id", id}})["reason"], "not_found");
  EXPECT_EQ(ask(caller(2), "cancel_appointment")["reason"], "no_appointment");
  sql(conninfo, "insert into tenants (id, name) values ('ten_2', 'Other')");
  auto neighbour = caller(1);
  neighbour.tenant = base::TenantId{"ten_2"};
  EXPECT_EQ(ask(neighbour, "cancel_appointment", {{"appointment_id", id}})["reason"], "not_found");
  EXPECT_EQ(
      ask(neighbour, "reschedule_appointment", {{"appointment_id", id}, {"new_start", "2026-03-03T10:00"}})["reason"],
      "not_found");
  EXPECT_EQ(value("status from appointments"), "unconfirmed");
}

TEST_F(Appointments, have_a_bound_in_one_call) {
  for (auto const* start :
       {"2026-03-02T13:00", "2026-03-02T14:00", "2026-03-02T15:00", "2026-03-02T16:00", "2026-03-03T09:00"})
    EXPECT_EQ(book({{"start", start}})["ok"], true);
  EXPECT_EQ(book({{"start", "2026-03-03T10:00"}})["reason"], "too_many");
}

}  // namespace
