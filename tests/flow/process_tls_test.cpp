// https and wss from end to end: the real program with a certificate of its own, between simulators that trust it.
#include <signal.h>

#include <fstream>

#include "tests/flow/child_scene.h"
#include "tests/support/authority.h"

namespace outside {
namespace {

class SecureProcess : public ProcessTest {
 protected:
  Environment secured(Environment more = {}) const {
    more["SWITCHBOARD_TLS_CERT"] = files.chain.string();
    more["SWITCHBOARD_TLS_KEY"] = files.key.string();
    more["SWITCHBOARD_EXTRA_CA"] = authority.file().string();
    return more;
  }
  static bool says(ChildScene const& scene, std::string const& text) {
    return until([&] { return scene.log().find(text) != std::string::npos; });
  }
  static Json check_named(Json const& report, std::string const& name) {
    for (auto const& check : report["checks"])
      if (check.value("name", "") == name) return check;
    return Json::object();
  }

  test::Authority authority;
  test::Authority::Files files = authority.issue("server", {.subject = "first"});
};

TEST_F(SecureProcess, serves_a_call_over_tls_while_its_certificate_is_renewed) {
  ChildScene scene{secured(), {authority.file(), files}};
  scene.serve();
  EXPECT_TRUE(scene.ready_line().starts_with("ready https://127.0.0.1:")) << scene.ready_line();
  EXPECT_TRUE(says(scene, "certificate loaded"));
  scene.seed();
  auto const call = scene.place(scene.plan());
  ASSERT_TRUE(call.comes_to(EventKind::agent_speaks)) << scene.log();

  authority.issue("server", {.subject = "second"});
  scene.gateway().signal(SIGHUP);
  EXPECT_TRUE(says(scene, "certificate reloaded"));
  auto const later = scene.place(scene.plan());
  ASSERT_TRUE(later.comes_to(EventKind::agent_silent)) << scene.log();
  scene.sims.hang_up(later);

  std::ofstream{files.key} << "lost";
  scene.gateway().signal(SIGHUP);
  EXPECT_TRUE(says(scene, "certificate not reloaded; the old one stays"));
  auto const last = scene.place(scene.plan());
  ASSERT_TRUE(last.comes_to(EventKind::agent_silent)) << scene.log();
  scene.sims.hang_up(last);

  ASSERT_TRUE(call.comes_to(EventKind::agent_speaks, 2)) << scene.log();
  ASSERT_TRUE(call.comes_to(EventKind::agent_silent, 2));
  scene.sims.hang_up(call);
  for (auto const* each : {&call, &later, &last}) expect_unbroken(each->result());
  auto const record = scene.ended_record(call.sid());
  ASSERT_TRUE(record);
  EXPECT_NE(heard_of_agent(*record).find("Thank you for calling."), std::string::npos);
  EXPECT_EQ(scene.stop(), 0) << scene.log();
}

TEST_F(SecureProcess, survives_a_hangup_signal_without_a_certificate) {
  ChildScene scene;
  scene.serve();
  scene.gateway().signal(SIGHUP);
  EXPECT_TRUE(says(scene, "no certificate to reload"));
  EXPECT_EQ(scene.readiness(), 200U);
  EXPECT_EQ(scene.stop(), 0) << scene.log();
}

TEST_F(SecureProcess, does_not_start_with_files_that_it_cannot_use) {
  auto const other = authority.issue("other");
  ChildScene const scene{secured({{"PUBLIC_BASE_URL", "https://127.0.0.1"}})};
  auto const ended =
      run_to_end(scene.serve_command(), scene.environment_with({{"SWITCHBOARD_TLS_KEY", other.key.string()}}),
                 scene.folder.path());
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("TLS key " + other.key.string() + ": does not belong to the certificate"), std::string::npos)
      << ended.err;
  EXPECT_TRUE(nothing_runs_in(scene.folder.path()));
}

TEST_F(SecureProcess, has_its_certificate_judged_by_the_doctor) {
  ChildScene scene{secured({{"PUBLIC_BASE_URL", "https://127.0.0.1"}})};
  auto const verdict_on = [&](test::Authority::Files const& judged) {
    auto const report = scene.command({"doctor", "--json"}, {{"SWITCHBOARD_TLS_CERT", judged.chain.string()},
                                                             {"SWITCHBOARD_TLS_KEY", judged.key.string()}});
    auto const check = check_named(Json::parse(report.out, nullptr, false), "TLS certificate");
    return check.value("status", "") + ": " + check.value("detail", "");
  };
  EXPECT_TRUE(verdict_on(authority.issue("good", {.ends = 30 * 24h})).starts_with("ok: good until 20"));
  EXPECT_TRUE(verdict_on(authority.issue("soon", {.ends = 24h})).starts_with("warn: ends 20"));
  EXPECT_TRUE(verdict_on(authority.issue("late", {.begins = -2h, .ends = -1h})).starts_with("fail: ended 20"));
  EXPECT_EQ(verdict_on(authority.issue("strange", {.names = "DNS:other.example"})), "fail: is not for 127.0.0.1");
}

}  // namespace
}  // namespace outside
