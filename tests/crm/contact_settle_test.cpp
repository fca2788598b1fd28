// Whose call it was, and what the contact learns from it.
#include <latch>
#include <thread>

#include "tests/crm/settle_scene.h"

namespace {

class CallsContact : public test::SettledTest {
 protected:
  void add_contact(std::string const& id, std::string const& columns, std::string const& values) {
    tell("insert into contacts (tenant_id, id, updated_at, " + columns + ") values ('ten_1', '" + id +
         "', '2026-01-01', " + values + ")");
  }
  std::string match(int number = 1) {
    return value("select concat_ws(' ', contact_match, contact_id) from calls where id = 'call_" +
                 std::to_string(number) + "'");
  }
  std::string contact(std::string const& id) {
    return value("select concat_ws('|', full_name, phone_e164, email) from contacts where id = '" + id + "'");
  }
};

TEST_F(CallsContact, is_known_by_their_number_in_their_tenant_only) {
  tell("insert into tenants (id, name) values ('ten_2', 'Other')");
  tell("insert into contacts (tenant_id, id, phone_e164) values ('ten_2', 'con_other', '+15550002222')");
  add_contact("con_ada", "phone_e164", "'+15550002222'");
  write(ended(call()));
  EXPECT_EQ(match(), "phone con_ada");
  EXPECT_EQ(value("select contact_id from call_outcomes"), "con_ada");
  EXPECT_EQ(value("select count(*) from contacts"), "2");
}

TEST_F(CallsContact, is_whom_we_called) {
  add_contact("con_ada", "phone_e164", "'+15550002222'");
  auto record = ended(call());
  record.direction = crm::CallDirection::outbound;
  std::swap(record.from, record.to);
  write(record);
  EXPECT_EQ(match(), "phone con_ada");
}

TEST_F(CallsContact, is_known_by_a_further_number) {
  add_contact("con_ada", "full_name", "'Ada'");
  tell("insert into contact_phones (tenant_id, contact_id, e164) values ('ten_1', 'con_ada', '+15550002222')");
  write(ended(call()));
  EXPECT_EQ(match(), "further_phone con_ada");
}

TEST_F(CallsContact, is_for_a_person_to_decide_when_several_share_the_number) {
  add_contact("con_ada", "full_name", "'Ada'");
  add_contact("con_bob", "full_name, email", "'Bob', 'bob@example.com'");
  tell(
      "insert into contact_phones (tenant_id, contact_id, e164) values ('ten_1', 'con_ada', '+15550002222'), "
      "('ten_1', 'con_bob', '+15550002222')");
  auto record = ended(call());
  write(record);
  EXPECT_EQ(match(), "ambiguous");
  EXPECT_EQ(value("select status || ' ' || array_to_string(candidates, ' ') from contact_reviews"),
            "open con_ada con_bob");
  EXPECT_EQ(value("select count(*) from contacts"), "2");
  record.version += 1;
  write(record);
  EXPECT_EQ(value("select count(*) from contact_reviews"), "1");
  asks(record, "update_contact", R"({"email":"Bob@Example.com"})");
  record.version += 1;
  write(record);
  EXPECT_EQ(match(), "email con_bob");
}

TEST_F(CallsContact, is_not_created_when_the_number_is_withheld) {
  add_integration("int_1");
  auto record = ended(call());
  record.from = "anonymous";
  asks(record, "take_message", R"({"message":"Call me","phone":"+14155550123"})");
  write(record);
  EXPECT_EQ(match(), "withheld");
  EXPECT_EQ(value("select count(*) from contacts"), "0");
  EXPECT_EQ(value("select confirmation_number from call_outcomes"), "+14155550123");
  EXPECT_EQ(value("select string_agg(event || ' ' || order_key, ' ') from outbox"), "call.ended call_1");
}

TEST_F(CallsContact, is_created_from_name_and_number_when_the_caller_gave_both) {
  auto record = ended(call());
  record.from = "anonymous";
  asks(record, "take_message", R"({"message":"Call me","name":"Ada","phone":"+14155550123"})");
  write(record);
  EXPECT_TRUE(match().starts_with("created con_")) << match();
  EXPECT_EQ(value("select concat_ws('|', full_name, phone_e164, source) from contacts"), "Ada|+14155550123|call");
}

TEST_F(CallsContact, that_the_desk_created_in_the_call_is_told_as_created) {
  add_integration("int_1");
  auto record = ended_now(call());
  tell(
      "insert into contacts (tenant_id, id, full_name, phone_e164, source) values ('ten_1', 'con_ada', 'Ada', "
      "'+15550002222', 'call')");
  write(record);
  EXPECT_EQ(match(), "created con_ada");
  EXPECT_EQ(value("select string_agg(event, ' ' order by sequence) from outbox"), "contact.created call.ended");
  auto again = ended_now(call(2));
  again.started_at = time.wall() + std::chrono::seconds{1};
  write(again);
  EXPECT_EQ(match(2), "phone con_ada");
}

TEST_F(CallsContact, is_whom_the_desk_made_known_when_the_number_is_withheld) {
  auto record = ended_now(call());
  record.from = "anonymous";
  tell("insert into contacts (tenant_id, id, full_name, source) values ('ten_1', 'con_1', 'Ada', 'call')");
  write(record);
  EXPECT_EQ(match(), "created con_1");
  EXPECT_EQ(value("select count(*) from contacts"), "1");
}

TEST_F(CallsContact, keeps_what_a_person_typed) {
  add_contact("con_ada", "phone_e164, full_name, source, typed_fields",
              "'+15550002222', 'Dr Ada Byron', 'call', '{full_name,email}'");
  auto record = ended_now(call());
  asks(record, "update_contact", R"({"name":"Ada","email":"ada@example.com"})");
  write(record);
  EXPECT_EQ(contact("con_ada"), "Dr Ada Byron|+15550002222");
}

TEST_F(CallsContact, keeps_what_is_there_unless_a_call_said_it) {
  add_contact("con_ada", "phone_e164, full_name", "'+15550002222', 'Ada from the import'");
  add_contact("con_bob", "phone_e164, full_name, source", "'+15550003333', 'Aida', 'call'");
  auto record = ended_now(call());
  asks(record, "update_contact", R"({"name":"Ada","email":"ada@example.com"})");
  write(record);
  auto other = ended_now(call(2));
  other.from = "+15550003333";
  asks(other, "book_appointment", R"({"name":"Ada"})");
  asks(other, "update_contact", R"({"name":"Wrong"})", R"({"ok":false,"reason":"invalid"})");
  write(other);
  EXPECT_EQ(contact("con_ada"), "Ada from the import|+15550002222|ada@example.com");
  EXPECT_EQ(contact("con_bob"), "Ada|+15550003333");
}

TEST_F(CallsContact, is_not_set_back_by_an_old_record_that_comes_late) {
  add_contact("con_ada", "phone_e164, full_name, source", "'+15550002222', 'New name', 'call'");
  tell("update contacts set updated_at = '2026-06-01'");
  auto record = ended(call());
  asks(record, "update_contact", R"({"name":"Old name"})");
  write(record);
  EXPECT_EQ(contact("con_ada"), "New name|+15550002222");
}

TEST_F(CallsContact, is_one_for_two_first_calls_that_end_at_once) {
  add_integration("int_1");
  constexpr int rounds = 30;
  std::latch ready{2};
  auto const side = [&](int shift) {
    asio::io_context own{1};
    crm::pg::Pool connection{settings(1), time};
    ready.arrive_and_wait();
    for (int round = 0; round < rounds; ++round) {
      auto record = ended(call(1000 + 2 * round + shift));
      record.from = "+15551" + std::to_string(100'000 + round);
      auto const work = [&](crm::pg::Transaction& transaction) { return save_and_settle(transaction, record); };
      asio::co_spawn(own, connection.transaction(work, soon()),
                     [](std::exception_ptr, base::Result<bool> done) { EXPECT_TRUE(done && *done); });
      own.restart();
      own.run();
    }
  };
  std::jthread other{[&] { side(1); }};
  side(0);
  other.join();
  auto const all = std::to_string(rounds);
  EXPECT_EQ(value("select count(*) from contacts"), all);
  EXPECT_EQ(value("select count(*) from outbox where event = 'contact.created'"), all);
  EXPECT_EQ(value("select count(*) from outbox where event = 'call.ended'"), std::to_string(2 * rounds));
  EXPECT_EQ(value("select count(distinct contact_id) from calls"), all);
}

}  // namespace
