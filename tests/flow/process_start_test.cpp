// What the program says when it cannot start, and as whom it can.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <fstream>

#include "tests/flow/child_scene.h"

namespace outside {
namespace {

namespace fs = std::filesystem;

class Start : public ProcessTest {
 protected:
  struct Sentence {
    std::string key, problem, fix;
  };

  /// `serve` with these changes ends at once with a line that says all three, and tells no secret.
  static void expect_refusal(ChildScene const& scene, Environment const& changes, Sentence const& sentence) {
    SCOPED_TRACE(sentence.key + ": " + sentence.problem);
    auto const began = std::chrono::steady_clock::now();
    auto const ended = run_to_end(scene.serve_command(), scene.environment_with(changes), scene.folder.path());
    EXPECT_LT(std::chrono::steady_clock::now() - began, slowed ? 30s : 10s);
    EXPECT_EQ(ended.status, 1);
    EXPECT_EQ(ended.out, "");
    expect_line(ended.err, sentence);
    for (auto const* secret : {"TWILIO_AUTH_TOKEN", "ELEVENLABS_API_KEY"})
      EXPECT_EQ(ended.err.find(scene.setting(secret)), std::string::npos) << secret;
    EXPECT_EQ(ended.err.find("swordfish"), std::string::npos) << ended.err;
  }

  static void expect_line(std::string const& text, Sentence const& sentence) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
      bool const all = line.find(sentence.key) != std::string::npos &&
                       line.find(sentence.problem) != std::string::npos && line.find(sentence.fix) != std::string::npos;
      if (all) return;
    }
    ADD_FAILURE() << "no line says it all:\n" << text;
  }

  static Json check_named(Json const& report, std::string const& name) {
    for (auto const& check : report["checks"])
      if (check.value("name", "") == name) return check;
    return Json::object();
  }
};

TEST_F(Start, is_refused_with_the_settings_name_what_is_wrong_and_what_to_do) {
  ChildScene scene;
  expect_refusal(scene, {{"SWITCHBOARD_COREZ", "2"}},
                 {"SWITCHBOARD_COREZ", "no setting has this name", "SWITCHBOARD_CORES"});
  expect_refusal(scene, {{"PORT", "telephone"}}, {"PORT", "telephone", ";"});
  expect_refusal(scene, {{"PUBLIC_BASE_URL", ""}}, {"PUBLIC_BASE_URL", "is missing", "set it"});
  expect_refusal(scene, {{"TWILIO_AUTH_TOKEN", ""}}, {"TWILIO_AUTH_TOKEN", "is missing", "TWILIO_AUTH_TOKEN_FILE"});
  expect_refusal(scene, {{"SWITCHBOARD_PG_BIN", "/nowhere"}}, {"SWITCHBOARD_PG_BIN", "/nowhere", "initdb"});
  expect_refusal(scene, {{"DATABASE_URL", "postgresql://someone:swordfish@127.0.0.1:1/none"}},
                 {"database", "127.0.0.1", "refused"});

  auto const secret = scene.folder.path() / "token";
  std::ofstream{secret} << "swordfishswordfishswordfish00000";
  fs::permissions(secret, fs::perms{0644});
  expect_refusal(scene, {{"TWILIO_AUTH_TOKEN", ""}, {"TWILIO_AUTH_TOKEN_FILE", secret.string()}},
                 {"TWILIO_AUTH_TOKEN_FILE", "can be read by every user", "0600"});
  std::ofstream{scene.folder.path() / "switchboard.toml"} << "[http]\nprot = 3000\n";
  expect_refusal(scene, {}, {"prot", "switchboard.toml", "port"});
  EXPECT_TRUE(processes_of(scene.folder.path()).empty());
}

TEST_F(Start, is_refused_when_somebody_else_has_the_port_or_the_data) {
  ChildScene scene;
  asio::io_context context;
  asio::ip::tcp::acceptor const stranger{context, {asio::ip::address_v4::loopback(), scene.port}};
  auto const taken = free_port();
  expect_refusal(scene, {}, {"PORT", std::to_string(scene.port), "another PORT"});
  expect_refusal(scene, {{"PORT", std::to_string(taken)}, {"SWITCHBOARD_OPS_PORT", std::to_string(scene.port)}},
                 {"SWITCHBOARD_OPS_PORT", std::to_string(scene.port), "another SWITCHBOARD_OPS_PORT"});

  scene.set("PORT", std::to_string(taken));
  scene.serve();
  expect_refusal(scene, {}, {"another Switchboard", std::to_string(scene.gateway().pid()), scene.data().string()});
  ChildScene neighbour{{{"PORT", std::to_string(taken)}}};
  expect_refusal(neighbour, {}, {"PORT", std::to_string(taken), "another PORT"});
  EXPECT_EQ(scene.readiness(), 200U);
  EXPECT_EQ(scene.stop(), 0);
  EXPECT_TRUE(nothing_runs_in(scene.folder.path()));
  EXPECT_TRUE(nothing_runs_in(neighbour.folder.path()));
}

TEST_F(Start, is_judged_beforehand_by_the_doctor) {
  ChildScene scene;
  scene.serve();
  scene.seed();
  auto const text = scene.command({"doctor"});
  EXPECT_EQ(text.status, 0) << text.out << text.err;
  for (auto const* line :
       {"ok    Settings", "ok    Database", "ok    Phone numbers", "ok    Twilio", "ok    ElevenLabs"})
    EXPECT_NE(text.out.find(line), std::string::npos) << line << "\n" << text.out;

  auto const well = Json::parse(scene.command({"doctor", "--json"}).out, nullptr, false);
  EXPECT_EQ(well.value("status", ""), "warn") << well.dump(1);
  EXPECT_EQ(check_named(well, "Twilio").value("status", ""), "ok");

  auto const refused = scene.command({"doctor", "--json"},
                                     {{"TWILIO_AUTH_TOKEN", std::string(32, 'f')}, {"ELEVENLABS_API_KEY", "sk_wrong"}});
  EXPECT_EQ(refused.status, 1);
  auto const ill = Json::parse(refused.out, nullptr, false);
  EXPECT_EQ(ill.value("status", ""), "fail");
  for (auto const* name : {"Twilio", "ElevenLabs"}) {
    EXPECT_EQ(check_named(ill, name).value("status", ""), "fail") << name;
    EXPECT_NE(check_named(ill, name).value("detail", "").find("refused"), std::string::npos) << name;
    EXPECT_NE(check_named(ill, name).value("fix", ""), "") << name;
  }
  EXPECT_EQ(refused.out.find("sk_wrong"), std::string::npos);

  auto const nobody = "http://127.0.0.1:" + std::to_string(free_port());
  auto const alone = scene.command({"doctor"}, {{"TWILIO_API_BASE_URL", nobody}, {"TWILIO_AUTH_TOKEN", ""}});
  EXPECT_EQ(alone.status, 1);
  EXPECT_NE(alone.out.find("fail  TWILIO_AUTH_TOKEN: is missing"), std::string::npos) << alone.out;
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(Start, works_for_an_ordinary_user_with_a_directory_of_its_own) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root: every other test here runs as an ordinary user";
  constexpr uid_t nobody = 65534;
  ChildScene scene;
  fs::copy_file(scene.program, scene.folder.path() / "switchboard");
  scene.program = (scene.folder.path() / "switchboard").string();
  scene.as = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  fs::create_directory(scene.data());
  ASSERT_EQ(::chown(scene.data().c_str(), nobody, nobody), 0);
  scene.serve();
  scene.seed();

  auto const owner = [](pid_t process) {
    struct stat about{};
    EXPECT_EQ(::stat(("/proc/" + std::to_string(process)).c_str(), &about), 0);
    return about.st_uid;
  };
  EXPECT_EQ(owner(scene.gateway().pid()), nobody);
  EXPECT_EQ(owner(scene.postmaster()), nobody);
  auto const call = scene.place(scene.plan());
  ASSERT_TRUE(call.comes_to(EventKind::agent_silent));
  scene.sims.hang_up(call);
  expect_unbroken(call.result());
  auto const shown = scene.command({"calls", "show", call.sid()});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(scene.stop(), 0) << scene.log();
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << testing::PrintToString(processes_of(scene.folder.path()));
}

}  // namespace
}  // namespace outside
