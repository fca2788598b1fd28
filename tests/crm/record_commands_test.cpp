#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "crm/outcome/settle.h"
#include "gateway/commands/audit.h"
#include "gateway/commands/calls.h"
#include "gateway/commands/listing.h"
#include "gateway/commands/records.h"
#include "tests/crm/call_scene.h"

namespace {

using crm::Speaker;

struct Ran {
  int exit_code;
  std::string out;
  std::string err;
};

/// What the binary does with these arguments, over `open`.
Ran run_command(std::function<crm::Database()> open, std::string const& arguments) {
  std::ostringstream out, err;
  CLI::App app{"switchboard"};
  app.require_subcommand(1);
  int exit_code = -1;
  gateway::CommandContext const context{std::move(open), &out, &err, false};
  gateway::add_record_commands(app, context, exit_code);
  gateway::add_audit_commands(app, context, exit_code);
  try {
    app.parse(arguments);
  } catch (CLI::ParseError const& error) {
    exit_code = gateway::exit_code_for(app, error, context);
  }
  return {exit_code, out.str(), err.str()};
}

std::string first_line(std::string const& text) {
  return text.substr(0, text.find('\n'));
}

class RecordCommands : public test::DatabaseTest {
 protected:
  Ran command(std::string const& arguments) {
    return run_command(
        [this] {
          crm::Database database{.conninfo = conninfo, .server = nullptr};
          database.schema = crm::pg::migrate(conninfo);
          return database;
        },
        arguments);
  }

  std::string add_tenant() {
    auto const ran = command("tenants add --name \"Acme Dental\" --timezone America/New_York");
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return first_line(ran.out);
  }

  std::string add_agent(std::string const& tenant, std::string const& more = "") {
    auto const ran = command("agents add --tenant " + tenant + " --name Front --elevenlabs-agent-id agent_abc " + more);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return first_line(ran.out);
  }

  void expect_failure(std::string const& arguments, int exit_code, std::string const& reason) {
    auto const ran = command(arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << arguments << "\n" << ran.out << ran.err;
    EXPECT_NE(ran.err.find(reason), std::string::npos) << arguments << "\n" << ran.err;
  }
};

TEST_F(RecordCommands, add_a_business_an_agent_and_its_number) {
  auto const tenant = add_tenant();
  EXPECT_TRUE(tenant.starts_with("ten_"));
  auto const agent =
      add_agent(tenant,
                "--number +15550001111 --record --fallback forward:+15550009999 --start-pause 2 "
                "--variable business=Acme --language en --transfer-number +15550007777 --transfer-number +15550008888");
  EXPECT_TRUE(agent.starts_with("va_"));
  auto const agents = nlohmann::json::parse(command("agents list --json --tenant " + tenant).out);
  ASSERT_EQ(agents.size(), 1U);
  EXPECT_EQ(agents[0]["id"], agent);
  EXPECT_EQ(agents[0]["record"], true);
  EXPECT_EQ(agents[0]["fallback_kind"], "forward");
  EXPECT_EQ(agents[0]["fallback_number"], "+15550009999");
  EXPECT_EQ(agents[0]["start_pause_seconds"], 2);
  EXPECT_EQ(agents[0]["dynamic_variables"]["business"], "Acme");
  EXPECT_EQ(agents[0]["transfer_numbers"], nlohmann::json({"+15550007777", "+15550008888"}));
  auto const numbers = nlohmann::json::parse(command("numbers list --json").out);
  ASSERT_EQ(numbers.size(), 1U);
  EXPECT_EQ(numbers[0]["number"], "+15550001111");
  EXPECT_EQ(numbers[0]["agent_id"], agent);
}

TEST_F(RecordCommands, print_ids_as_json_when_asked) {
  auto const ran = command("tenants add --json --name Acme");
  EXPECT_TRUE(nlohmann::json::parse(ran.out)["id"].get<std::string>().starts_with("ten_"));
  EXPECT_EQ(nlohmann::json::parse(command("tenants list --json").out)[0]["timezone"], "UTC");
}

TEST_F(RecordCommands, print_aligned_tables) {
  auto const tenant = add_tenant();
  auto const ran = command("tenants list");
  std::istringstream lines{ran.out};
  std::string title, line;
  std::getline(lines, title);
  std::getline(lines, line);
  EXPECT_EQ(title.find("NAME"), line.find("Acme Dental"));
  EXPECT_EQ(title.find("TIMEZONE"), line.find("America/New_York"));
}

TEST_F(RecordCommands, change_only_what_is_given_about_an_agent) {
  auto const agent = add_agent(add_tenant(), "--record --start-pause 3");
  ASSERT_EQ(command("agents update " + agent + " --status inactive --no-record --name Night").exit_code, 0);
  auto const agents = nlohmann::json::parse(command("agents list --json").out);
  EXPECT_EQ(agents[0]["name"], "Night");
  EXPECT_EQ(agents[0]["status"], "inactive");
  EXPECT_EQ(agents[0]["record"], false);
  EXPECT_EQ(agents[0]["start_pause_seconds"], 3);
  EXPECT_EQ(agents[0]["elevenlabs_agent_id"], "agent_abc");
  ASSERT_EQ(command("agents update " + agent + " --record").exit_code, 0);
  ASSERT_EQ(command("agents update " + agent + " --name Day").exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(command("agents list --json").out)[0]["record"], true);
  expect_failure("agents update va_none --name x", 1, "there is no agent va_none");
}

TEST(AgentCommands, print_the_tools_of_an_agent_without_a_database) {
  auto const ran = run_command([]() -> crm::Database { throw std::logic_error{"opened"}; }, "agents tools");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  std::ifstream kept{SOURCE_ROOT "/config/agent-tools.json"};
  EXPECT_EQ(ran.out, (std::string{std::istreambuf_iterator<char>{kept}, {}}));
}

TEST_F(RecordCommands, assign_each_number_once) {
  auto const tenant = add_tenant();
  auto const agent = add_agent(tenant);
  auto const add = "numbers add --tenant " + tenant + " --agent " + agent + " --number +15550001111";
  EXPECT_EQ(command(add).exit_code, 0);
  expect_failure(add, 1, "+15550001111 is in use already");
  expect_failure("agents add --tenant " + tenant + " --name B --elevenlabs-agent-id b --number +15550001111", 1,
                 "in use already");
  EXPECT_EQ(nlohmann::json::parse(command("agents list --json").out).size(), 1U);
}

TEST_F(RecordCommands, keep_users) {
  auto const tenant = add_tenant();
  auto const ran = command("users add --tenant " + tenant + " --email Ada@Example.com --role owner");
  EXPECT_TRUE(ran.out.starts_with("usr_")) << ran.err;
  auto const users = nlohmann::json::parse(command("users list --json").out);
  EXPECT_EQ(users[0]["email"], "ada@example.com");
  expect_failure("users add --tenant " + tenant + " --email ada@EXAMPLE.com --role agent", 1, "already");
  expect_failure("users add --tenant " + tenant + " --email ada --role agent", 2, "not an e-mail address");
  expect_failure("users add --tenant " + tenant + " --email a@b --role king", 2, "king");
}

TEST_F(RecordCommands, say_in_one_line_what_is_wrong) {
  expect_failure("agents add --tenant ten_none --name A --elevenlabs-agent-id a", 1, "there is no tenant ten_none");
  expect_failure("tenants add --name A --timezone Mars/Base", 2, "there is no time zone 'Mars/Base'");
  auto const tenant = add_tenant();
  expect_failure("numbers add --tenant " + tenant + " --agent va_none --number +15550001111", 1,
                 "has no agent va_none");
  expect_failure("numbers add --tenant " + tenant + " --agent va_none --number 5550001111", 2, "E.164");
  expect_failure("agents add --tenant " + tenant + " --name A --elevenlabs-agent-id a --fallback forward:123", 2,
                 "E.164");
  expect_failure("agents add --tenant " + tenant + " --name A --elevenlabs-agent-id a --fallback pray", 2, "pray");
  expect_failure("agents add --tenant " + tenant + " --name A --elevenlabs-agent-id a --start-pause 11", 2, "11");
  expect_failure("agents add --name A", 2, "required");
  expect_failure("agents", 2, "subcommand");
  expect_failure("calls show call_none", 1, "there is no call call_none");
  expect_failure("calls list --since yesterday", 2, "not a time span");
}

TEST_F(RecordCommands, set_up_a_business_without_sql) {
  auto const added = command(
      "tenants add --name Acme --timezone Europe/Berlin --hours mon=09:00-12:00,13:00-17:00 --hours sat=10:00-14:00 "
      "--slot-minutes 45 --calling-hours 09:00-20:00 --no-confirm-by-sms");
  ASSERT_EQ(added.exit_code, 0) << added.err;
  auto const tenant = first_line(added.out);
  auto const shown = [&] { return nlohmann::json::parse(command("tenants show --json " + tenant).out); };
  EXPECT_EQ(shown()["opening_hours"]["mon"], nlohmann::json::parse(R"([["09:00", "12:00"], ["13:00", "17:00"]])"));
  EXPECT_EQ(shown()["opening_hours"]["tue"], nlohmann::json::parse(R"([["09:00", "17:00"]])"));
  EXPECT_EQ(shown()["confirm_by_sms"], false);
  auto const updated = command(
      "tenants update --hours mon=closed --hours sat=closed --lead-minutes 0 --booking-days 30 "
      "--industry Dentistry --confirm-by-sms --status suspended " +
      tenant);
  EXPECT_EQ(updated.out, tenant + "\n") << updated.err;
  EXPECT_FALSE(shown()["opening_hours"].contains("mon"));
  EXPECT_EQ(shown()["slot_minutes"], 45);
  EXPECT_EQ(shown()["lead_minutes"], 0);
  EXPECT_EQ(shown()["industry"], "Dentistry");
  EXPECT_EQ(shown()["status"], "suspended");
  EXPECT_EQ(shown()["confirm_by_sms"], true);
  EXPECT_EQ(shown()["calling_hours"], nlohmann::json::parse(R"({"from": "09:00", "to": "20:00"})"));
  auto const words = command("tenants show " + tenant).out;
  for (auto const* part : {"mon closed", "tue 09:00-17:00", "45 minutes each, from 0 minutes to 30 days ahead"})
    EXPECT_NE(words.find(part), std::string::npos) << part << "\n" << words;
}

TEST_F(RecordCommands, leave_a_business_as_it_is_where_nothing_is_said) {
  auto const tenant = add_tenant();
  auto const shown = [&] { return nlohmann::json::parse(command("tenants show --json " + tenant).out); };
  auto const before = shown();
  EXPECT_EQ(before["confirm_by_sms"], true);
  EXPECT_EQ(before["calling_hours"], nlohmann::json::parse(R"({"from": "08:00", "to": "21:00"})"));
  ASSERT_EQ(command("tenants update --slot-minutes 45 " + tenant).exit_code, 0);
  auto expected = before;
  expected["slot_minutes"] = 45;
  EXPECT_EQ(shown(), expected);
}

TEST_F(RecordCommands, say_everything_that_is_wrong_about_a_business_and_change_nothing) {
  auto const tenant = add_tenant();
  auto const ran =
      command("tenants update " + tenant + " --name New --slot-minutes 4 --hours mon=9-5 --timezone Mars/Base");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.err,
            "switchboard: there is no time zone 'Mars/Base'\n"
            "switchboard: hours: '9-5' of mon is not FROM-TO of one day, like 09:00-12:00\n"
            "switchboard: slot minutes: 4 is not between 5 and 480\n");
  EXPECT_EQ(nlohmann::json::parse(command("tenants show --json " + tenant).out)["name"], "Acme Dental");
  expect_failure("tenants update ten_none --name x", 1, "there is no tenant ten_none");
  expect_failure("tenants show ten_none", 1, "there is no tenant ten_none");
  expect_failure("tenants update " + tenant, 2, "nothing to change");
}

TEST_F(RecordCommands, keep_what_can_be_booked) {
  auto const tenant = add_tenant();
  auto const add = "services add --tenant " + tenant + " --name Cleaning --minutes 45 --calendar Kim";
  auto const added = command(add);
  ASSERT_TRUE(added.out.starts_with("svc_")) << added.err;
  auto const id = first_line(added.out);
  expect_failure("services add --tenant " + tenant + " --name CLEANING --minutes 30", 1, "of that name already");
  expect_failure("services add --tenant ten_none --name A --minutes 30", 1, "there is no tenant ten_none");
  expect_failure("services add --tenant " + tenant + " --name A --minutes 4", 2, "not between 5 and 480");
  EXPECT_EQ(command("services update --minutes 60 --status inactive " + id).exit_code, 0);
  expect_failure("services update svc_none --minutes 60", 1, "there is no service svc_none");
  auto const listed = nlohmann::json::parse(command("services list --json --tenant " + tenant).out);
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["minutes"], 60);
  EXPECT_EQ(listed[0]["calendar"], "Kim");
  EXPECT_EQ(listed[0]["status"], "inactive");
  auto const audit = command("audit list --json --tenant " + tenant).out;
  EXPECT_NE(audit.find("service.updated"), std::string::npos);
  EXPECT_EQ(audit.find("Kim"), std::string::npos);
}

TEST_F(RecordCommands, leave_an_audit_entry_of_each_change_without_names_and_numbers) {
  auto const tenant = add_tenant();
  auto const agent = add_agent(tenant, "--number +15550001111");
  EXPECT_EQ(command("numbers add --tenant " + tenant + " --agent " + agent + " --number +15550001112").exit_code, 0);
  EXPECT_EQ(command("users add --tenant " + tenant + " --email ada@example.com --role owner").exit_code, 0);
  EXPECT_EQ(command("agents update " + agent + " --name Night").exit_code, 0);
  EXPECT_EQ(command("tenants update " + tenant + " --name Other --slot-minutes 20").exit_code, 0);
  EXPECT_EQ(command("tenants update " + tenant + " --slot-minutes 20").exit_code, 0) << "nothing is different";
  auto const listed = command("audit list --json --tenant " + tenant);
  std::vector<std::string> actions;
  for (auto const& entry : nlohmann::json::parse(listed.out)) actions.push_back(entry["action"]);
  EXPECT_EQ(actions, (std::vector<std::string>{"tenant.updated", "agent.updated", "user.added", "number.added",
                                               "agent.added", "tenant.added"}));
  EXPECT_EQ(nlohmann::json::parse(listed.out)[0]["detail"]["changed"], nlohmann::json({"name", "slot_minutes"}));
  for (auto const* secret : {"ada@", "Night", "Acme", "Other", "5550001111", "5550001112"})
    EXPECT_EQ(listed.out.find(secret), std::string::npos) << secret;
  auto const verified = command("audit verify --tenant " + tenant);
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_NE(verified.out.find("6 entries, whole"), std::string::npos);
  test::sql(conninfo, "update audit_entries set actor = 'cli:nobody' where ordinal = 3");
  expect_failure("audit verify --tenant " + tenant, 1, "entry 3 does not follow");
  EXPECT_EQ(nlohmann::json::parse(command("audit verify --json --tenant " + tenant).out)["first_wrong"], 3);
  expect_failure("audit verify --tenant ten_none", 1, "there is no tenant ten_none");
}

TEST_F(RecordCommands, fail_when_the_database_cannot_be_opened) {
  auto const ran =
      run_command([]() -> crm::Database { throw crm::pg::StartFailure{"no database today"}; }, "tenants list");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.err, "switchboard: no database today\n");
}

TEST_F(RecordCommands, migrate_and_say_how_far) {
  auto const first = nlohmann::json::parse(command("migrate --json").out);
  EXPECT_EQ(first["applied"], first["version"]);
  EXPECT_EQ(nlohmann::json::parse(command("migrate --json").out)["applied"], 0);
}

class CallCommands : public test::BusinessTest {
 protected:
  bool settle(crm::CallRecord const& record) {
    crm::pg::Pool pool{settings(1), time};
    auto const work = [&](crm::pg::Transaction& transaction) -> base::Async<base::Result<bool>> {
      auto const saved = co_await crm::save_call(transaction, record);
      if (!saved) co_return saved;
      auto const settled = co_await crm::settle_call(transaction, record);
      co_return settled;
    };
    auto const done = run(pool.transaction(work, soon()));
    EXPECT_TRUE(done) << done.error().detail;
    return done && *done;
  }
  Ran command(std::string const& arguments) {
    return run_command([this] { return crm::Database{.conninfo = conninfo, .server = nullptr}; }, arguments);
  }
};

TEST_F(CallCommands, list_calls_of_a_time_span) {
  auto old = call(1);
  auto recent = ended(call(2));
  recent.started_at = std::chrono::system_clock::now();
  ASSERT_TRUE(save(old));
  ASSERT_TRUE(save(recent));
  EXPECT_EQ(nlohmann::json::parse(command("calls list --json").out).size(), 2U);
  auto const listed = nlohmann::json::parse(command("calls list --json --since 1h --tenant ten_1").out);
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["id"], "call_2");
  EXPECT_EQ(listed[0]["status"], "completed");
  EXPECT_EQ(listed[0]["blame"], "caller");
  EXPECT_EQ(nlohmann::json::parse(command("calls list --json --limit 1").out).size(), 1U);
  EXPECT_NE(command("calls list").out.find("in-progress"), std::string::npos);
}

TEST_F(CallCommands, list_on_behind_the_end_of_a_page) {
  for (int number = 1; number <= 5; ++number) {
    auto one = call(number);
    one.started_at += std::chrono::minutes{number / 2};  // two and two begin at the same moment
    ASSERT_TRUE(save(one));
  }
  std::vector<std::string> seen;
  auto page = command("calls list --json --limit 2");
  while (page.err.find("--before ") != std::string::npos) {
    for (auto const& each : nlohmann::json::parse(page.out)) seen.push_back(each["id"]);
    EXPECT_EQ(page.err, "there are older calls: go on with --before " + seen.back() + "\n");
    page = command("calls list --json --limit 2 --before " + seen.back());
  }
  for (auto const& each : nlohmann::json::parse(page.out)) seen.push_back(each["id"]);
  EXPECT_EQ(seen, (std::vector<std::string>{"call_5", "call_4", "call_3", "call_2", "call_1"}));
  EXPECT_EQ(page.err, "");
  EXPECT_EQ(command("calls list --before call_1").exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(command("calls list --json --before " + call(2).call_sid.text()).out).size(), 1U);
  auto const unknown = command("calls list --before call_9");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_NE(unknown.err.find("there is no call call_9"), std::string::npos) << unknown.err;
}

TEST_F(CallCommands, show_what_was_said_and_what_of_it_was_heard) {
  auto record = ended(call());
  record.turns = {turn(Speaker::agent, "How can I help you today?", "How can I"), turn(Speaker::caller, "Hi", "Hi")};
  record.turns[0].interrupted = true;
  record.turns[1].started_ms = 65'400;
  record.events = {{record.started_at, "answered", R"({"core": 1})"}};
  ASSERT_TRUE(save(record));
  for (auto const& name : {record.id.text(), record.call_sid.text()}) {
    auto const shown = command("calls show " + name);
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_NE(shown.out.find("00:00.0  agent  How can I [help you today?]  (interrupted)"), std::string::npos)
        << shown.out;
    EXPECT_NE(shown.out.find("01:05.4  caller Hi\n"), std::string::npos) << shown.out;
    EXPECT_NE(shown.out.find("answered"), std::string::npos);
    EXPECT_NE(shown.out.find("duration      1:00"), std::string::npos);
  }
  auto const json = nlohmann::json::parse(command("calls show --json call_1").out);
  EXPECT_EQ(json["turns"][0]["heard"], "How can I");
  EXPECT_EQ(json["events"][0]["detail"]["core"], 1);
  EXPECT_EQ(json["started_at"], base::iso8601(record.started_at));
}

TEST_F(CallCommands, show_what_a_call_led_to) {
  test::sql(conninfo,
            "insert into integrations (tenant_id, id, provider, name) values ('ten_1', 'int_1', 'webhook', 'Desk')");
  auto record = ended(call());
  record.tool_calls = {{.tool_call_id = "tc_1",
                        .name = "take_message",
                        .parameters_json = R"({"message": "Call me"})",
                        .result_json = R"({"ok": true})",
                        .started_ms = 12'300,
                        .took_ms = 8}};
  ASSERT_TRUE(settle(record));
  test::sql(conninfo,
            "update outbox set status = 'parked', attempts = 3, parked_reason = 'gone' where event = 'call.ended'");
  auto const shown = command("calls show call_1").out;
  for (auto const* part : {"outcome       message_taken (95 %)", "follow up     A message waits for an answer.",
                           "(created)", "take_message  {\"message\": \"Call me\"} -> {\"ok\": true}  (8 ms)",
                           "call.ended -> Desk  parked after 3: gone", "contact.created -> Desk  waiting"}) {
    EXPECT_NE(shown.find(part), std::string::npos) << part << "\n" << shown;
  }
  auto const json = nlohmann::json::parse(command("calls show --json call_1").out);
  EXPECT_EQ(json["outcome"]["category"], "message_taken");
  EXPECT_EQ(json["outcome"]["follow_up"], true);
  EXPECT_EQ(json["contact_match"], "created");
  EXPECT_TRUE(json["contact_id"].get<std::string>().starts_with("con_"));
  EXPECT_EQ(json["tool_calls"][0]["parameters"]["message"], "Call me");
  EXPECT_EQ(json["outbox"][1]["status"], "parked");
  EXPECT_EQ(json["outbox"][1]["parked_reason"], "gone");
}

TEST_F(CallCommands, show_that_a_call_has_no_outcome_yet) {
  ASSERT_TRUE(save(call()));
  EXPECT_EQ(command("calls show call_1").out.find("outcome"), std::string::npos);
  auto const json = nlohmann::json::parse(command("calls show --json call_1").out);
  EXPECT_TRUE(json["outcome"].is_null());
  EXPECT_EQ(json["outbox"], nlohmann::json::array());
}

TEST(HeardBoundary, brackets_what_the_caller_missed) {
  auto const shown = [](std::string said, std::string heard, bool colour = false) {
    crm::CallTurn turn;
    turn.said = std::move(said);
    turn.heard = std::move(heard);
    return gateway::with_heard_boundary(turn, colour);
  };
  EXPECT_EQ(shown("Good morning", "Good morning"), "Good morning");
  EXPECT_EQ(shown("Good morning", "Good"), "Good [morning]");
  EXPECT_EQ(shown("Good morning", ""), "[Good morning]");
  EXPECT_EQ(shown("Good morning", "Good evening"), "Good evening [Good morning]");
  EXPECT_EQ(shown("Good ", "Good"), "Good");
  EXPECT_EQ(shown("Good morning", "Good", true), "Good \x1b[2m[morning]\x1b[22m");
  EXPECT_EQ(shown("evil \x1b[2J\xc2\x9b", "evil "), "evil  [[2J ]");
}

TEST(TimeSpan, is_a_number_and_a_unit) {
  using std::chrono::seconds;
  EXPECT_EQ(gateway::parse_ago("90s"), seconds{90});
  EXPECT_EQ(gateway::parse_ago("15m"), seconds{900});
  EXPECT_EQ(gateway::parse_ago("1h"), seconds{3600});
  EXPECT_EQ(gateway::parse_ago("7d"), seconds{604'800});
  for (auto const* text : {"", "h", "1", "-1h", "1w", "1hh", "99999999999999999999h", "9999999999d"}) {
    EXPECT_FALSE(gateway::parse_ago(text)) << text;
  }
}

}  // namespace
