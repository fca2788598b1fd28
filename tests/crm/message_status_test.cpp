#include "gateway/twilio/message_status.h"

#include "tests/crm/outbox_scene.h"

namespace {

using test::sql;

constexpr auto account_sid = "AC00000000000000000000000000000001";
constexpr auto message_sid = "SM0123456789abcdef0123456789abcdef";
constexpr auto target = "/api/twilio/message-status?tenant=ten_1&message=msg_1";

class MessageStatusRoute : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    sql(conninfo,
        "insert into messages (tenant_id, id, direction, from_number, to_number, body) values "
        "('ten_1', 'msg_1', 'outbound', '+15550001111', '+15550002222', 'See you on Friday.')");
    door.emplace(gateway::twilio::MessageStatusServices{verifier, accounts, loop.get_executor(), *pool, time,
                                                        base::Log::silent()});
  }
  unsigned post(std::string const& status, std::string const& where = target, std::string const& token = "token") {
    net::Form const form{{"AccountSid", account_sid}, {"MessageSid", message_sid}, {"MessageStatus", status}};
    net::Request request;
    request.method = "POST";
    request.target = where;
    request.body = net::encode_form(form);
    request.headers.add("X-Twilio-Signature",
                        gateway::twilio::sign(base::Secret{token}, "https://gateway.example" + where, form));
    return run(door->receive(request)).status;
  }
  std::string status() { return sql(conninfo, "select status from messages where id = 'msg_1'"); }

  gateway::twilio::SignatureVerifier verifier{*net::parse_url("https://gateway.example")};
  gateway::twilio::Accounts accounts{{{base::AccountSid{account_sid}, {base::Secret{"token"}}}}};
  std::optional<gateway::twilio::MessageStatusDoor> door;
};

TEST_F(MessageStatusRoute, keeps_what_became_of_a_message) {
  EXPECT_EQ(post("queued"), 204U);
  EXPECT_EQ(status(), "queued");
  EXPECT_EQ(post("sent"), 204U);
  EXPECT_EQ(status(), "sent");
  EXPECT_EQ(post("delivered"), 204U);
  EXPECT_EQ(post("sent"), 204U) << "callbacks overtake each other";
  EXPECT_EQ(status(), "delivered");
}

TEST_F(MessageStatusRoute, believes_nobody_but_the_carrier) {
  EXPECT_EQ(post("delivered", target, "guess"), 403U);
  EXPECT_EQ(status(), "queued");
}

TEST_F(MessageStatusRoute, changes_nothing_of_another_tenant) {
  add_tenant("ten_2");
  EXPECT_EQ(post("failed", "/api/twilio/message-status?tenant=ten_2&message=msg_1"), 204U);
  EXPECT_EQ(status(), "queued");
}

TEST_F(MessageStatusRoute, asks_for_a_repetition_when_it_cannot_be_kept) {
  pool->close();
  EXPECT_EQ(post("delivered"), 503U);
}

}  // namespace
