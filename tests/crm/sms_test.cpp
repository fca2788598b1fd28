#include "crm/outbox/sms.h"

#include <gmock/gmock.h>

#include "crm/store/outgoing_messages.h"
#include "tests/crm/desk_scene.h"
#include "tests/crm/outbox_scene.h"

namespace {

using crm::Delivered;
using crm::DeliveryFault;
using crm::Receipt;
using test::sql;
using Kind = DeliveryFault::Kind;

class Carrier final : public crm::SmsSender {
 public:
  base::Async<Delivered<Receipt>> send(crm::SmsText message, base::Instant) override {
    if (fault && fault->kind != Kind::ambiguous) co_return std::unexpected{*fault};
    sent.push_back(message);
    if (fault) co_return std::unexpected{*fault};
    co_return Receipt{.remote_id = "SM" + std::to_string(sent.size())};
  }
  base::Async<Delivered<std::vector<std::string>>> sent_since(crm::SmsText message, crm::Wall, base::Instant) override {
    ++looks;
    if (blind) co_return std::unexpected{DeliveryFault{.kind = Kind::ambiguous}};
    std::vector<std::string> found;
    for (std::size_t i = 0; i < sent.size(); ++i)
      if (sent[i].body == message.body) found.push_back("SM" + std::to_string(i + 1));
    co_return found;
  }
  std::vector<crm::SmsText> sent;
  std::optional<DeliveryFault> fault;
  bool blind = false;
  int looks = 0;
};

class SmsDelivery : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    deliverer.emplace(carrier, *pool, day);
    add_message("msg_1");
  }
  void add_message(std::string const& id, std::string const& call = "null") {
    sql(conninfo,
        "insert into messages (tenant_id, id, direction, from_number, to_number, body, call_id) values ('ten_1', '" +
            id + "', 'outbound', '+15550001111', '+15550002222', 'See you on Friday.', " + call + ")");
  }
  static crm::OutboxRow row(std::string const& message = "msg_1") {
    crm::OutboxRow out;
    out.tenant = base::TenantId{"ten_1"};
    out.event = "sms.send";
    out.payload_json = R"({"message_id": ")" + message + R"(", "answers_caller": true})";
    out.created_at = noon;
    return out;
  }
  /// One that nobody waits for on the phone.
  static crm::OutboxRow reminder() {
    auto out = row();
    out.payload_json = R"({"message_id": "msg_1"})";
    return out;
  }
  void add_contact(std::string const& column, std::string const& value) {
    sql(conninfo, "insert into contacts (tenant_id, id, full_name, phone_e164, " + column +
                      ") values ('ten_1', 'con_1', 'Ada', '+15550002222', " + value + ")");
  }
  static crm::OutboxRow again(std::string const& message = "msg_1") {
    auto out = row(message);
    out.attempt = 2;
    out.maybe_sent = true;
    return out;
  }
  Delivered<Receipt> deliver(crm::OutboxRow told) { return run(deliverer->deliver(std::move(told), soon())); }
  std::string of_message(std::string const& id, std::string const& column) {
    return sql(conninfo, "select " + column + " from messages where id = '" + id + "'");
  }

  /// In New York, where the tenant is; nine in Los Angeles.
  static constexpr crm::Wall noon = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::hours{17};
  test::ChosenDay day{noon};
  Carrier carrier;
  std::optional<crm::SmsDeliverer> deliverer;
};

TEST_F(SmsDelivery, sends_the_message_from_the_account_of_its_call) {
  ASSERT_TRUE(save(ended(call())));
  add_message("msg_2", "'call_1'");
  auto const receipt = deliver(row("msg_2"));
  ASSERT_TRUE(receipt) << receipt.error().detail;
  EXPECT_EQ(receipt->remote_id, "SM1");
  ASSERT_EQ(carrier.sent.size(), 1U);
  EXPECT_EQ(carrier.sent[0].to, "+15550002222");
  EXPECT_EQ(carrier.sent[0].from, "+15550001111");
  EXPECT_EQ(carrier.sent[0].account, call().account_sid);
  EXPECT_EQ(of_message("msg_2", "status || ' ' || provider_sid"), "sent SM1");
  EXPECT_EQ(carrier.looks, 0);
}

TEST_F(SmsDelivery, looks_before_it_sends_what_may_have_been_sent) {
  carrier.fault = DeliveryFault{.kind = Kind::ambiguous};
  EXPECT_FALSE(deliver(row()));
  carrier.fault.reset();
  auto const receipt = deliver(again());
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->remote_id, "SM1");
  EXPECT_EQ(carrier.sent.size(), 1U);
  EXPECT_EQ(of_message("msg_1", "provider_sid"), "SM1");
}

TEST_F(SmsDelivery, sends_again_what_was_not_found) {
  ASSERT_TRUE(deliver(again()));
  EXPECT_EQ(carrier.sent.size(), 1U);
}

TEST_F(SmsDelivery, takes_no_other_message_of_ours_for_it) {
  ASSERT_TRUE(deliver(row()));
  add_message("msg_2");
  auto const receipt = deliver(again("msg_2"));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->remote_id, "SM2");
  EXPECT_EQ(carrier.sent.size(), 2U);
}

TEST_F(SmsDelivery, sends_nothing_while_it_cannot_look) {
  carrier.blind = true;
  auto const receipt = deliver(again());
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Kind::not_sent);
  EXPECT_TRUE(carrier.sent.empty());
}

TEST_F(SmsDelivery, sends_nothing_that_is_known_to_be_sent) {
  ASSERT_TRUE(deliver(row()));
  auto const receipt = deliver(again());
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->remote_id, "SM1");
  EXPECT_EQ(carrier.sent.size(), 1U);
  EXPECT_EQ(carrier.looks, 0);
}

TEST_F(SmsDelivery, believes_the_carrier_that_it_was_sent_although_the_answer_was_lost) {
  auto session = pool->until(soon());
  auto const progress = [&](char const* status, char const* sid = "SM9") {
    return *run(crm::note_message_progress(session, base::TenantId{"ten_1"}, "msg_1", sid, status));
  };
  EXPECT_TRUE(progress("sent"));
  ASSERT_TRUE(deliver(again()));
  EXPECT_TRUE(carrier.sent.empty());
  EXPECT_TRUE(progress("delivered"));
  EXPECT_FALSE(progress("sent")) << "the last word stands";
  EXPECT_FALSE(progress("failed", "SM8")) << "another message";
  EXPECT_EQ(of_message("msg_1", "status || ' ' || provider_sid"), "delivered SM9");
}

TEST_F(SmsDelivery, says_of_a_refused_message_that_it_failed) {
  carrier.fault = DeliveryFault{.kind = Kind::rejected};
  EXPECT_EQ(deliver(row()).error().kind, Kind::rejected);
  EXPECT_EQ(of_message("msg_1", "status"), "failed");
  EXPECT_EQ(deliver(row("msg_none")).error().kind, Kind::rejected);
}

TEST_F(SmsDelivery, sends_nothing_at_night_but_an_answer_to_a_caller) {
  ASSERT_TRUE(deliver(reminder()));
  add_message("msg_2");
  day.passes(std::chrono::hours{10});
  auto const waits = deliver([] {
    auto out = reminder();
    out.payload_json = R"({"message_id": "msg_2"})";
    return out;
  }());
  ASSERT_FALSE(waits);
  EXPECT_EQ(waits.error().kind, Kind::not_sent);
  EXPECT_EQ(waits.error().detail, "waits for the recipient's calling hours");
  EXPECT_EQ(waits.error().retry_after, std::chrono::hours{10}) << "from 22:00 until 08:00";
  auto answer = row("msg_2");
  answer.created_at = day.wall();
  ASSERT_TRUE(deliver(answer));
  EXPECT_EQ(carrier.sent.size(), 2U);
}

TEST_F(SmsDelivery, takes_what_could_not_be_sent_during_the_call_for_no_answer_any_more) {
  day.passes(std::chrono::hours{10});
  EXPECT_FALSE(deliver(row()));
  EXPECT_TRUE(carrier.sent.empty());
}

TEST_F(SmsDelivery, goes_by_the_clock_of_the_recipient) {
  add_contact("timezone", "'America/Los_Angeles'");
  day.passes(std::chrono::hours{10});
  EXPECT_TRUE(deliver(reminder())) << "22:00 here, 19:00 there";
  add_message("msg_2");
  day.passes(std::chrono::hours{11});
  EXPECT_FALSE(deliver([] {
    auto out = reminder();
    out.payload_json = R"({"message_id": "msg_2"})";
    return out;
  }()))
      << "09:00 here, 06:00 there";
}

TEST_F(SmsDelivery, goes_by_the_hours_of_the_tenant) {
  sql(conninfo, "update tenants set calling_hours = '{\"from\": \"13:00\", \"to\": \"14:00\"}'");
  EXPECT_EQ(deliver(reminder()).error().retry_after, std::chrono::hours{1});
}

TEST_F(SmsDelivery, writes_to_nobody_who_has_asked_for_that_since) {
  add_contact("do_not_contact", "true");
  auto const refused = deliver(row());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rejected) << "parked, for a person to see";
  EXPECT_EQ(refused.error().detail, "the recipient does not want to be contacted");
  EXPECT_EQ(of_message("msg_1", "status"), "failed");
  EXPECT_TRUE(carrier.sent.empty());
}

TEST_F(SmsDelivery, writes_to_nobody_who_has_taken_the_consent_to_texts_back) {
  add_contact("consent", "'{\"sms\": {\"given\": false, \"source\": \"STOP\"}}'");
  EXPECT_EQ(deliver(row()).error().kind, Kind::rejected);
  sql(conninfo, "update contacts set consent = '{\"sms\": {\"given\": true}}'");
  EXPECT_TRUE(deliver(row()));
}

}  // namespace
