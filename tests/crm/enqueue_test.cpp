#include "crm/outbox/enqueue.h"

#include "tests/crm/call_scene.h"

namespace {

using test::sql;

class Enqueue : public test::BusinessTest {
 protected:
  void integration(std::string const& id, std::string const& rest = "'active', '{}'") {
    sql(conninfo, "insert into integrations (tenant_id, id, provider, name, status, events) values ('ten_1', '" + id +
                      "', 'webhook', '" + id + "', " + rest + ")");
  }
  void contact(std::string const& rest) {
    sql(conninfo,
        "insert into contacts (tenant_id, id, full_name, phone_e164, do_not_contact) values ('ten_1', " + rest + ")");
  }
  void tell(crm::EventToTell const& event) {
    crm::pg::Pool pool{settings(1), time};
    auto session = pool.until(soon());
    auto const told = run(crm::enqueue_event(session, event));
    EXPECT_TRUE(told) << told.error().detail;
  }
  bool send(crm::SmsToSend const& message) {
    crm::pg::Pool pool{settings(1), time};
    auto session = pool.until(soon());
    auto const queued = run(crm::enqueue_sms(session, message));
    EXPECT_TRUE(queued) << queued.error().detail;
    return queued && *queued;
  }
  static crm::EventToTell booked() {
    return {.event = "appointment.booked",
            .tenant = base::TenantId{"ten_1"},
            .call = base::CallId{"call_1"},
            .contact = crm::ContactId{"con_1"},
            .appointment = "apt_1",
            .data_json = R"({"service": "cleaning"})"};
  }
  static crm::SmsToSend sms() {
    return {.tenant = base::TenantId{"ten_1"},
            .from = "+15550001111",
            .to = "+15550002222",
            .body = "See you on Friday.",
            .call = base::CallId{"call_1"},
            .contact = std::nullopt,
            .appointment = std::nullopt,
            .occasion = "call_1:tool_1"};
  }
  std::string count(std::string const& what) { return sql(conninfo, "select count(*) from " + what); }
};

TEST_F(Enqueue, tells_each_active_integration_that_wants_such_events) {
  integration("int_all");
  integration("int_listed", "'active', '{appointment.booked}'");
  integration("int_other", "'active', '{call.ended}'");
  integration("int_off", "'disabled', '{}'");
  tell(booked());
  EXPECT_EQ(sql(conninfo, "select string_agg(integration_id, ',' order by integration_id) from outbox"),
            "int_all,int_listed");
  EXPECT_EQ(sql(conninfo, "select distinct payload - 'at' from outbox"),
            R"({"data": {"service": "cleaning"}, "event": "appointment.booked", "call_id": "call_1", )"
            R"("tenant_id": "ten_1", "contact_id": "con_1", "appointment_id": "apt_1"})");
  EXPECT_EQ(sql(conninfo, "select distinct order_key from outbox"), "con_1");
}

TEST_F(Enqueue, tells_the_same_event_once_and_a_later_one_of_its_kind_again) {
  integration("int_all");
  auto moved = booked();
  moved.event = "appointment.rescheduled";
  moved.occasion = "apt_1:v2";
  tell(moved);
  tell(moved);
  EXPECT_EQ(count("outbox"), "1");
  moved.occasion = "apt_1:v3";
  tell(moved);
  EXPECT_EQ(count("outbox"), "2");
}

TEST_F(Enqueue, tells_nobody_of_another_tenant) {
  sql(conninfo, "insert into tenants (id, name) values ('ten_2', 'Other')");
  sql(conninfo,
      "insert into integrations (tenant_id, id, provider, name) values ('ten_2', 'int_2', 'webhook', 'theirs')");
  tell(booked());
  EXPECT_EQ(count("outbox"), "0");
}

TEST_F(Enqueue, queues_a_message_once) {
  EXPECT_TRUE(send(sms()));
  EXPECT_TRUE(send(sms()));
  EXPECT_EQ(count("messages where direction = 'outbound' and status = 'queued' and to_number = '+15550002222'"), "1");
  EXPECT_EQ(sql(conninfo,
                "select count(*) from outbox o join messages m on m.id = o.payload ->> 'message_id' "
                "where o.target = 'sms' and o.order_key = 'later:call_1'"),
            "1");
}

TEST_F(Enqueue, writes_to_nobody_who_does_not_want_it) {
  contact("'con_1', 'Ada', '+15550002222', true");
  EXPECT_FALSE(send(sms()));
  EXPECT_EQ(count("messages"), "0");
  EXPECT_EQ(count("outbox"), "0");
}

TEST_F(Enqueue, writes_to_no_further_number_of_somebody_who_does_not_want_it) {
  contact("'con_1', 'Ada', '+15550003333', true");
  sql(conninfo, "insert into contact_phones (tenant_id, contact_id, e164) values ('ten_1', 'con_1', '+15550002222')");
  EXPECT_FALSE(send(sms()));
}

TEST_F(Enqueue, writes_to_nobody_who_has_taken_the_consent_to_texts_back) {
  contact("'con_1', 'Ada', '+15550002222', false");
  sql(conninfo, "update contacts set consent = '{\"sms\": {\"given\": false}}'");
  EXPECT_FALSE(send(sms()));
  sql(conninfo, "update contacts set consent = '{\"sms\": {\"given\": true}}'");
  EXPECT_TRUE(send(sms()));
}

TEST_F(Enqueue, lets_no_message_that_waits_for_the_morning_hold_up_an_answer) {
  auto reminder = sms();
  reminder.occasion = "apt_1:reminder";
  auto answer = sms();
  answer.answers_caller = true;
  EXPECT_TRUE(send(reminder));
  EXPECT_TRUE(send(answer));
  EXPECT_EQ(sql(conninfo,
                "select string_agg(order_key || ' ' || (payload ->> 'answers_caller'), ', ' order by sequence) "
                "from outbox"),
            "later:call_1 false, call_1 true");
}

TEST_F(Enqueue, cuts_a_message_at_the_carriers_limit_between_characters) {
  auto message = sms();
  message.body.clear();
  for (int i = 0; i < 2000; ++i) message.body += "\xC3\xA9";
  EXPECT_TRUE(send(message));
  EXPECT_EQ(sql(conninfo, "select length(body) from messages"), "1600");
}

}  // namespace
