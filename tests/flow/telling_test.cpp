// What calls lead to reaches other systems once, whatever they do: the outbox against simulated receivers on loopback.
#include "gateway/telling.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "crm/adapters/webhook/webhook.h"
#include "crm/outbox/by_target.h"
#include "crm/outbox/crm_deliverer.h"
#include "crm/outbox/dispatcher.h"
#include "crm/outbox/sms.h"
#include "gateway/commands/integrations.h"
#include "gateway/twilio/sms.h"
#include "loadtest/sim/crm/crm_sim.h"
#include "loadtest/sim/twilio/twilio_sim.h"
#include "tests/crm/outbox_scene.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

constexpr auto secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr auto account_sid = "AC00000000000000000000000000000001";

class Telling : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    receivers.emplace(loop.get_executor(), time, sim::crm::CrmSim::Options{.webhook_secret = secret});
    receivers->listen();
    sim::twilio::TwilioSimSettings settings;
    settings.account = {account_sid, base::Secret{"token"}, {}};
    carrier.emplace(loop.get_executor(), base::Log::silent(), std::move(settings));
    carrier->listen("127.0.0.1", 0);
    tasks.emplace(loop.get_executor());
    tasks->spawn(receivers->serve());
    tasks->spawn(carrier->serve());
    sql(conninfo, "update integrations set settings = '{\"url\": \"" + receivers->webhook_url() + "\"}'");
    sms_api.emplace(http, accounts, carrier->base_url(), "", time);
    sms.emplace(*sms_api, *pool, time);
    webhook.emplace(http, *pool, time, [](crm::Integration, base::Instant) -> base::Async<base::Result<base::Secret>> {
      co_return base::Secret{secret};
    });
    by_target.emplace(*sms, *webhook, *webhook);
  }
  void TearDown() override {
    if (!tasks) return;
    auto const end = [&]() -> base::Async<bool> {
      if (dispatcher) co_await dispatcher->drain(seconds{0});
      receivers->stop();
      carrier->stop();
      co_await receivers->drain(seconds{0});
      co_await carrier->drain(seconds{0});
      co_await tasks->drain(time, seconds{0});
      co_return true;
    };
    run(end());
  }

  void start() {
    crm::Dispatcher::Settings const settings{.delivery_limit = milliseconds{1'000},
                                             .poll = milliseconds{10},
                                             .first_backoff = milliseconds{2},
                                             .after_ambiguous = milliseconds{2}};
    dispatcher.emplace(loop.get_executor(), *pool, time, *by_target, base::Log::silent(), metrics, settings,
                       [] { return 0.5; });
    tasks->spawn(dispatcher->run());
  }
  bool all_told() { return becomes("select count(*) from outbox where status in ('waiting', 'leased')", "0"); }
  bool becomes(std::string const& query, std::string const& value) {
    loop.restart();
    auto const until = std::chrono::steady_clock::now() + seconds{30};
    while (sql(conninfo, query) != value) {
      if (std::chrono::steady_clock::now() > until) return false;
      loop.run_for(milliseconds{20});
    }
    return true;
  }
  std::string text(std::string const& number, std::string const& to = "+15550002222") {
    sql(conninfo,
        "insert into messages (tenant_id, id, direction, from_number, to_number, body) values ('ten_1', 'msg_" +
            number + "', 'outbound', '+15550001111', '" + to + "', 'See you on Friday.')");
    return tell({.about = to,
                 .integration = "",
                 .event = "sms.send",
                 .payload = R"({"message_id": "msg_)" + number + R"(", "answers_caller": true})"});
  }
  void twilio_does(unsigned status, bool keeps, bool drops = false, int code = 0) {
    sim::twilio::RestFault fault;
    fault.status = status;
    fault.path = "/Messages.json";
    fault.code = code;
    fault.keeps = keeps;
    fault.drops = drops;
    carrier->rest().inject(std::move(fault));
  }

  std::optional<sim::crm::CrmSim> receivers;
  std::optional<sim::twilio::TwilioSim> carrier;
  net::HttpClient http;
  gateway::twilio::Accounts accounts{{{base::AccountSid{account_sid}, {base::Secret{"token"}}}}};
  base::Metrics metrics;
  std::optional<gateway::twilio::Sms> sms_api;
  std::optional<crm::SmsDeliverer> sms;
  std::optional<crm::webhook::Webhook> webhook;
  std::optional<crm::ByTarget> by_target;
  std::optional<crm::Dispatcher> dispatcher;
  std::optional<base::TaskGroup> tasks;
};

TEST_F(Telling, a_strict_receiver_takes_every_event_once_and_in_order_whatever_befalls_it) {
  for (int i = 0; i < 40; ++i) tell({.about = "con_" + std::to_string(i % 8)});
  auto& hooks = receivers->webhooks();
  for (int i = 0; i < 5; ++i) {
    hooks.inject({.status = 500});
    hooks.inject({.status = 0});
    hooks.inject({.status = 0, .keeps = true});
    hooks.inject({.status = 502, .keeps = true});
  }
  start();
  ASSERT_TRUE(all_told());
  EXPECT_EQ(sql(conninfo, "select count(*) from outbox where status = 'done'"), "40");
  EXPECT_EQ(hooks.received().size(), 40U);
  EXPECT_EQ(hooks.repeats(), 10U);
  EXPECT_TRUE(hooks.refused().empty());
  std::map<std::string, int> last;  // contact -> number of the last event
  for (auto const& event : hooks.received()) {
    int const number = std::stoi(event.id.substr(4));
    auto const contact = std::to_string((number - 1) % 8);
    EXPECT_LT(last[contact], number);
    last[contact] = number;
  }
}

TEST_F(Telling, a_slow_receiver_that_took_the_event_hears_it_again_under_the_same_id) {
  receivers->webhooks().inject({.status = 204, .delay = seconds{3}, .keeps = true});
  tell();
  start();
  ASSERT_TRUE(all_told());
  EXPECT_EQ(receivers->webhooks().received().size(), 1U);
  EXPECT_EQ(receivers->webhooks().repeats(), 1U);
}

TEST_F(Telling, a_text_message_is_sent_once_though_the_carriers_answers_are_lost) {
  twilio_does(0, /*keeps=*/true, /*drops=*/true);
  twilio_does(503, false);
  twilio_does(429, false);
  auto const id = text("1");
  start();
  ASSERT_TRUE(all_told());
  auto const& sent = carrier->rest().messages();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].to, "+15550002222");
  EXPECT_EQ(of(id, "remote_id"), sent[0].sid);
  EXPECT_EQ(sql(conninfo, "select status || ' ' || provider_sid from messages"), "sent " + sent[0].sid);
}

TEST_F(Telling, two_messages_with_the_same_words_are_two) {
  text("1");
  text("2");
  start();
  ASSERT_TRUE(all_told());
  EXPECT_EQ(carrier->rest().messages().size(), 2U);
  twilio_does(500, /*keeps=*/true);
  text("3");
  ASSERT_TRUE(all_told());
  EXPECT_EQ(carrier->rest().messages().size(), 3U);
  EXPECT_EQ(sql(conninfo, "select count(distinct provider_sid) from messages"), "3");
}

TEST_F(Telling, nobody_who_said_stop_is_written_to_again) {
  carrier->rest().opt_out("+15550002222");
  auto const id = text("1");
  auto const other = text("2", "+15550003333");
  start();
  ASSERT_TRUE(all_told());
  EXPECT_EQ(of(id, "status"), "parked");
  EXPECT_EQ(of(id, "parked_reason"),
            "rejected: Twilio answered 400, code 21610: the recipient has answered STOP and gets no more messages");
  EXPECT_EQ(of(other, "status"), "done");
  EXPECT_EQ(sql(conninfo, "select status from messages where id = 'msg_1'"), "failed");
}

TEST_F(Telling, nobody_is_written_to_at_night_but_who_waits_for_the_answer) {
  // One minute after midnight only, in a place where it is not that.
  sql(conninfo,
      "update tenants set calling_hours = '{\"from\": \"00:00\", \"to\": \"00:01\"}', timezone = case when "
      "extract(hour "
      "from now() at time zone 'America/New_York') in (23, 0) then 'Asia/Tokyo' else 'America/New_York' end");
  auto const reminder = text("1");
  sql(conninfo, "update outbox set payload = payload - 'answers_caller', order_key = 'later:con_1'");
  auto const answer = text("2");
  start();
  EXPECT_TRUE(becomes("select status || ' ' || attempts from outbox where id = '" + reminder + "'", "waiting 1"));
  EXPECT_TRUE(becomes("select status from outbox where id = '" + answer + "'", "done"));
  EXPECT_EQ(sql(conninfo,
                "select to_char(o.next_at at time zone t.timezone, 'HH24:MI') from outbox o "
                "join tenants t on t.id = o.tenant_id where o.id = '" +
                    reminder + "'"),
            "00:00");
  EXPECT_EQ(of_attempt(reminder, 1, "error"), "waits for the recipient's calling hours");
  EXPECT_EQ(carrier->rest().messages().size(), 1U);
}

/// As the process puts it together, with an integration that the command has added.
class TellingProcess : public Telling {
 protected:
  void SetUp() override {
    Telling::SetUp();
    if (IsSkipped()) return;
    sql(conninfo, "delete from integrations");
    given.vault.integration_encryption_key = base::Secret{std::string(64, 'a')};
    given.egress.allow = "127.0.0.0/8";
    given.egress.ports = receivers->base_url().substr(receivers->base_url().rfind(':') + 1);
    given.twilio.api_base_url = carrier->base_url();
    given.http.public_base_url = "https://gateway.example";
  }
  std::string add_webhook() {
    auto const file = folder.path() / "secret";
    std::ofstream{file} << secret << "\n";
    std::ostringstream out, err;
    int exit_code = -1;
    gateway::CommandContext const context{[this] { return crm::Database{.conninfo = conninfo, .server = nullptr}; },
                                          &out, &err, false, [this] { return given; }};
    CLI::App app;
    gateway::add_integration_commands(app, context, exit_code);
    app.parse("integrations add --tenant ten_1 --name hook --url " + receivers->webhook_url() + " --secret-file " +
              file.string());
    EXPECT_EQ(exit_code, 0) << err.str();
    return out.str().substr(0, out.str().find('\n'));
  }
  void start() {
    telling.emplace(gateway::Telling::Services{loop.get_executor(), time, http, accounts, base::Log::silent(), metrics},
                    settings(2), given);
    tasks->spawn(telling->run());
  }
  void stop() {
    auto const drain = [&]() -> base::Async<bool> {
      co_await telling->drain(seconds{1});
      co_return true;
    };
    run(drain());
    telling.reset();
  }

  test::OpenFolder folder;
  config::Settings given;
  std::optional<gateway::Telling> telling;
};

TEST_F(TellingProcess, tells_webhooks_and_sends_messages) {
  auto const id = tell({.integration = add_webhook()});
  text("1");
  start();
  ASSERT_TRUE(all_told());
  EXPECT_EQ(of(id, "status"), "done");
  ASSERT_EQ(receivers->webhooks().received().size(), 1U);
  EXPECT_EQ(receivers->webhooks().received()[0].id, id);
  EXPECT_EQ(carrier->rest().messages().size(), 1U);
  stop();
}

TEST_F(TellingProcess, loses_nothing_while_its_key_is_missing) {
  auto const id = tell({.integration = add_webhook()});
  given.vault.integration_encryption_key = base::Secret{};
  start();
  loop.restart();
  auto const until = std::chrono::steady_clock::now() + seconds{20};
  while (of_attempt(id, 1, "fault") != "not_sent" && std::chrono::steady_clock::now() < until)
    loop.run_for(milliseconds{20});
  stop();
  EXPECT_EQ(of(id, "status"), "waiting");
  EXPECT_EQ(sql(conninfo, "select status from integrations"), "active");
}

TEST_F(TellingProcess, does_not_go_into_our_own_network) {
  auto const id = tell({.integration = add_webhook()});
  given.egress.allow = "";
  start();
  ASSERT_TRUE(all_told());
  EXPECT_EQ(of(id, "status"), "parked");
  EXPECT_TRUE(receivers->webhooks().received().empty());
  stop();
}

}  // namespace
