#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "crm/adapters/webhook/signature.h"
#include "crm/integrations/reveal.h"
#include "crm/store/integrations.h"
#include "gateway/commands/integrations.h"
#include "gateway/commands/outbox.h"
#include "tests/crm/outbox_scene.h"
#include "tests/net/server_scene.h"

namespace {

using nlohmann::json;
using std::chrono::seconds;
using test::sql;
using testing::HasSubstr;
using testing::Not;

struct Ran {
  int exit_code = -1;
  std::string out, err;
};

class TellingCommands : public test::OutboxTest {
 protected:
  Ran command(std::string const& arguments) {
    std::ostringstream out, err;
    Ran ran;
    gateway::CommandContext const context{[this] { return crm::Database{.conninfo = conninfo, .server = nullptr}; },
                                          &out, &err, false, [this] { return given; }};
    CLI::App app;
    gateway::add_outbox_commands(app, context, ran.exit_code);
    gateway::add_integration_commands(app, context, ran.exit_code);
    try {
      app.parse(arguments);
    } catch (CLI::ParseError const& error) {
      ran.exit_code = gateway::exit_code_for(app, error, context);
    }
    ran.out = out.str();
    ran.err = err.str();
    return ran;
  }

  static config::Settings with_key() {
    config::Settings settings;
    settings.vault.integration_encryption_key = base::Secret{std::string(64, 'a')};
    settings.egress.allow = "127.0.0.0/8";
    return settings;
  }

  config::Settings given = with_key();
};

TEST_F(TellingCommands, list_and_show_what_is_told_without_names_and_numbers) {
  auto const id = tell({.payload = R"({"data": {"phone": "+15550002222"}})"});
  auto session = pool->until(soon());
  auto const row = lease().at(0);
  ASSERT_TRUE(run(crm::note_parked(session, row,
                                   {.kind = crm::DeliveryFault::Kind::rejected, .detail = "no", .http_status = 422},
                                   {time.wall()}, "rejected: no")));
  auto const listed = command("outbox list");
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr(id));
  EXPECT_THAT(listed.out, HasSubstr("rejected: no"));
  auto const shown = command("outbox show " + id);
  EXPECT_THAT(shown.out, HasSubstr("call.ended"));
  EXPECT_THAT(shown.out, HasSubstr("422"));
  auto const as_json = command("outbox show --json " + id);
  auto const parsed = json::parse(as_json.out);
  EXPECT_EQ(parsed["status"], "parked");
  EXPECT_EQ(parsed["attempts_made"][0]["fault"], "rejected");
  for (auto const& ran : {listed, shown, as_json}) EXPECT_THAT(ran.out, Not(HasSubstr("5550002222")));
  EXPECT_EQ(json::parse(command("outbox list --json --status done").out).size(), 0U);
  EXPECT_EQ(json::parse(command("outbox list --json --tenant ten_1 --status parked").out).size(), 1U);
  auto const missing = command("outbox show obx_none");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("there is no obx_none"));
}

TEST_F(TellingCommands, try_again_what_is_parked) {
  auto const one = tell();
  auto const other = tell({.about = "con_2"});
  sql(conninfo, "update outbox set status = 'parked', parked_reason = 'x', attempts = 3");
  EXPECT_EQ(command("outbox retry " + one).exit_code, 0);
  EXPECT_EQ(of(one, "status"), "waiting");
  EXPECT_EQ(of(other, "status"), "parked");
  EXPECT_EQ(command("outbox retry " + one).exit_code, 1);
  EXPECT_EQ(json::parse(command("outbox retry --json --integration int_1").out)["retried"], 1);
  EXPECT_EQ(lease().at(0).attempt, 4) << "its earlier attempts stay on record";
  EXPECT_EQ(command("outbox retry").exit_code, 2);
  EXPECT_EQ(sql(conninfo,
                "select string_agg(action || ' ' || subject || ' ' || (detail ->> 'rows'), ', ' "
                "order by ordinal) from audit_entries"),
            "outbox.retried " + one + " 1, outbox.retried int_1 1");
}

TEST_F(TellingCommands, add_a_webhook_and_show_its_secret_once) {
  auto const ran =
      command("integrations add --json --tenant ten_1 --name hook --url https://hooks.example/a --event call.ended");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  auto const parsed = json::parse(ran.out);
  auto const secret = parsed["signing_secret"].get<std::string>();
  EXPECT_TRUE(crm::webhook::read_signing_secret(base::Secret{secret}));
  EXPECT_THAT(sql(conninfo, "select secret from integrations where name = 'hook'"), Not(HasSubstr(secret.substr(6))));

  auto session = pool->until(soon());
  auto const stored =
      run(crm::find_integration(session, base::TenantId{"ten_1"}, crm::IntegrationId{parsed["id"].get<std::string>()}));
  ASSERT_TRUE(stored && *stored);
  crm::Vault vault{*crm::MasterKeys::read(given.vault)};
  auto const revealed = run(crm::reveal_with(vault, *pool)(**stored, soon()));
  ASSERT_TRUE(revealed) << revealed.error().detail;
  EXPECT_EQ(revealed->reveal(), secret);

  auto const listed = command("integrations list --json");
  EXPECT_THAT(listed.out, Not(HasSubstr("whsec_")));
  EXPECT_THAT(listed.out, HasSubstr("https://hooks.example/a"));
  EXPECT_THAT(command("integrations list").out, HasSubstr("call.ended"));
}

TEST_F(TellingCommands, refuse_what_cannot_work) {
  EXPECT_THAT(command("integrations add --tenant ten_1 --name a --url ftp://a").err, HasSubstr("url"));
  EXPECT_THAT(command("integrations add --tenant ten_none --name a --url https://a.example").err,
              HasSubstr("there is no tenant"));
  EXPECT_THAT(command("integrations add --tenant ten_1 --name int_1 --url https://a.example").err,
              HasSubstr("already"));
  EXPECT_THAT(command("integrations add --tenant ten_1 --name a --provider nobody").err, HasSubstr("no provider"));
  EXPECT_THAT(command("integrations disable int_none").err, HasSubstr("there is no integration"));
  EXPECT_THAT(command("integrations add --tenant ten_1 --name a --provider hubspot").err, HasSubstr("--secret-file"));
  test::OpenFolder folder;
  auto const file = (folder.path() / "token").string();
  std::ofstream{file} << "pat-na1-sim\n";
  auto const hubspot = "integrations add --tenant ten_1 --name a --provider hubspot --secret-file " + file;
  EXPECT_THAT(command(hubspot + " --setting colour=red").err, HasSubstr("does not take these settings"));
  EXPECT_EQ(command(hubspot + " --setting api_version=v3").exit_code, 0);
  given.vault = {};
  auto const ran = command("integrations add --tenant ten_1 --name a --url https://a.example");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("INTEGRATION_ENCRYPTION_KEY"));
}

TEST_F(TellingCommands, try_a_webhook_out_and_wake_one_that_waited_for_it) {
  test::ServerScene scene;
  unsigned status = 200;
  scene.router.on("POST", "/hook",
                  [&](net::Request) -> base::Async<net::Response> { co_return net::Response::empty(status); });
  given.egress.ports = std::to_string(scene.start().port);
  auto const added = command("integrations add --json --tenant ten_1 --name hook --url " + scene.url("/hook"));
  auto const id = json::parse(added.out)["id"].get<std::string>();
  auto const status_of_it = [&] { return sql(conninfo, "select status from integrations where id = '" + id + "'"); };
  sql(conninfo, "update integrations set status = 'needs_reauth' where id = '" + id + "'");
  auto const ran = command("integrations test " + id);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(status_of_it(), "active");
  EXPECT_EQ(command("integrations disable " + id).exit_code, 0);
  EXPECT_EQ(status_of_it(), "disabled");
  EXPECT_EQ(command("integrations enable " + id).exit_code, 0);
  EXPECT_EQ(status_of_it(), "active");
  EXPECT_EQ(sql(conninfo,
                "select string_agg(action || ' ' || (detail ->> 'status'), ', ' "
                "order by ordinal) from audit_entries where action = 'integration.updated'"),
            "integration.updated active, integration.updated disabled, integration.updated active");
  given.egress.allow = "";
  EXPECT_THAT(command("integrations test " + id).err, HasSubstr("may not be made")) << "our own network is not theirs";
}

}  // namespace
