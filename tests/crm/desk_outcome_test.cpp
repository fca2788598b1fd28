// What the desk did in a call and what the end of the call makes of it fit together.
#include "crm/outcome/settle.h"
#include "tests/crm/desk_scene.h"

namespace {

class AfterTheDesk : public test::DeskTest {
 protected:
  /// The desk's work, and its place in the record.
  void asks(crm::CallRecord& record, crm::DeskCaller const& who, std::string tool, nlohmann::json const& parameters) {
    auto const id = "tc_" + std::to_string(record.tool_calls.size());
    auto const told = answer(who, tool, parameters, id);
    crm::CallToolCall asked;
    asked.tool_call_id = id;
    asked.name = std::move(tool);
    asked.parameters_json = parameters.dump();
    asked.result_json = told.json;
    asked.is_error = told.is_error;
    record.tool_calls.push_back(std::move(asked));
  }
  void settle(crm::CallRecord const& record) {
    auto const work = [&](crm::pg::Transaction& transaction) -> base::Async<base::Result<bool>> {
      auto const saved = co_await crm::save_call(transaction, record);
      if (!saved) co_return saved;
      auto const settled = co_await crm::settle_call(transaction, record);
      co_return settled;
    };
    auto const done = run(pool->transaction(work, soon()));
    ASSERT_TRUE(done) << done.error().detail;
  }
  static crm::CallRecord lost_answers(crm::CallRecord record) {
    for (auto& each : record.tool_calls) {
      each.result_json = R"({"ok":false,"reason":"unavailable"})";
      each.is_error = true;
    }
    return record;
  }
};

TEST_F(AfterTheDesk, a_booking_is_the_outcome_with_its_appointment_and_contact) {
  auto record = ended(call());
  asks(record, caller(), "book_appointment", {{"start", "2026-03-02T13:00"}, {"name", "Ada Byron"}});
  settle(record);
  EXPECT_EQ(value("category || ' ' || follow_up || ' ' || confirmation_number from call_outcomes"),
            "appointment_booked true +15550002222")
      << record.tool_calls[0].result_json;
  EXPECT_EQ(value("count(*) from call_outcomes o join appointments a on a.id = o.appointment_id "
                  "and a.contact_id = o.contact_id join calls c on c.contact_id = o.contact_id"),
            "1");
  EXPECT_EQ(value("contact_match from calls"), "created");
  EXPECT_EQ(value("full_name from contacts"), "Ada Byron");
  EXPECT_EQ(value("string_agg(event, ' ' order by event) from outbox where target = 'integration'"),
            "appointment.booked call.ended contact.created");
}

TEST_F(AfterTheDesk, a_booking_that_was_read_back_needs_nobody) {
  auto record = ended(call());
  asks(record, caller(), "book_appointment", {{"start", "2026-03-02T13:00"}, {"name", "Ada Byron"}});
  ASSERT_TRUE(confirm(value("id from appointments")));
  settle(record);
  EXPECT_EQ(value("category || ' ' || follow_up from call_outcomes"), "appointment_booked false");
}

TEST_F(AfterTheDesk, a_booking_whose_answer_was_lost_is_a_booking_that_nobody_heard) {
  auto record = ended(call());
  asks(record, caller(), "book_appointment", {{"start", "2026-03-02T13:00"}, {"name", "Ada Byron"}});
  settle(lost_answers(record));
  EXPECT_EQ(value("category || ' ' || follow_up from call_outcomes"), "appointment_booked true");
  EXPECT_EQ(count("notes"), "0");
}

TEST_F(AfterTheDesk, a_hold_is_free_again) {
  auto record = ended(call());
  asks(record, caller(), "hold_slot", {{"start", "2026-03-02T13:00"}});
  ASSERT_EQ(count("appointments"), "1") << record.tool_calls[0].result_json;
  settle(record);
  EXPECT_EQ(count("appointments"), "0");
}

TEST_F(AfterTheDesk, a_message_is_one_note_whether_its_answer_arrived_or_not) {
  auto record = ended(call());
  asks(record, caller(), "take_message", {{"message", "Call me"}, {"name", "Ada"}});
  settle(lost_answers(record));
  EXPECT_EQ(count("notes"), "1");
  EXPECT_EQ(count("outbox where event = 'message.taken'"), "1");
  EXPECT_EQ(value("category from call_outcomes"), "message_taken");
}

TEST_F(AfterTheDesk, a_message_taken_while_the_database_is_away_is_a_note_when_it_is_back) {
  auto record = ended(call());
  kill_server();
  asks(record, caller(), "find_slots", nlohmann::json::object());
  asks(record, caller(), "take_message", {{"message", "Call me about Tuesday"}, {"name", "Ada"}});
  EXPECT_TRUE(record.tool_calls.back().is_error);
  EXPECT_NE(record.tool_calls.back().result_json.find("somebody will get back to you"), std::string::npos)
      << "nobody is asked for a message that they have just left";
  server()->revive();
  settle(record);
  EXPECT_EQ(count("notes where body like 'Call me about Tuesday%'"), "1");
  EXPECT_EQ(count("outbox where event = 'message.taken'"), "1");
  EXPECT_EQ(value("category from call_outcomes"), "message_taken");
}

TEST_F(AfterTheDesk, whoever_withheld_their_number_is_the_same_person_afterwards) {
  auto record = ended(call());
  record.from = "anonymous";
  asks(record, withheld(), "take_message", {{"message", "Call me"}, {"name", "Ada"}});
  settle(record);
  EXPECT_EQ(count("contacts"), "1");
  EXPECT_EQ(value("contact_match from calls"), "created");
  EXPECT_EQ(value("count(distinct c) from (select contact_id c from calls union select contact_id from notes "
                  "union select contact_id from call_outcomes) all_of_them"),
            "1");
}

}  // namespace
