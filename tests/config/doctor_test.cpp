#include "config/doctor.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/config/scene.h"

namespace {

using config::Status;

void expect_golden(std::string const& name, std::string const& text) {
  std::filesystem::path const file = std::filesystem::path{SOURCE_ROOT} / "tests/config/golden" / name;
  if (std::getenv("SWITCHBOARD_TEST_WRITE_EXAMPLES") != nullptr) std::ofstream{file, std::ios::binary} << text;
  EXPECT_EQ(test::content_of(file), text);
}

/// A machine on which most things are nearly right.
config::Report report_of_a_trial() {
  test::ConfigScene scene;
  scene.is_ready_to_serve();
  scene.sources.dotenv = "";
  scene.sources.environment["PUBLIC_BASE_URL"] = "http://127.0.0.1:3000";
  scene.sources.environment["ELEVENLABS_API_BASE_URL"] = "http://127.0.0.1:4010";
  scene.sources.environment["SWITCHBOARD_OPS_ADDRESS"] = "0.0.0.0";
  scene.sources.environment["API_KEY_ENCRYPTION_SECRET"] = "old passphrase";
  return config::diagnose(config::examine(scene.sources),
                          {{"Database", Status::ok, "PostgreSQL 15.20, schema 12", ""},
                           {"Twilio account", Status::fail, "401 for \"AC...cdef\"", "check TWILIO_AUTH_TOKEN"}});
}

TEST(Doctor, tells_what_is_wrong_and_what_to_do) {
  expect_golden("doctor_trial.txt", to_text(report_of_a_trial()));
}

TEST(Doctor, says_the_same_to_programs) {
  expect_golden("doctor_trial.json", to_json(report_of_a_trial()) + "\n");
}

TEST(Doctor, lists_what_keeps_serve_from_starting_and_spares_advice_until_then) {
  test::ConfigScene scene;
  scene.sources.purpose = config::Purpose::serve;
  scene.sources.environment = {{"PORT", "http"}};
  auto const report = config::diagnose(config::examine(scene.sources), {});
  EXPECT_EQ(report.verdict(), Status::fail);
  expect_golden("doctor_empty.txt", to_text(report));
}

TEST(Doctor, is_content_with_a_complete_installation) {
  test::ConfigScene scene;
  scene.is_ready_to_serve();
  scene.sources.environment["ELEVENLABS_API_KEY"] = "key";
  scene.sources.environment["ELEVENLABS_WEBHOOK_SECRET"] = "secret";
  scene.sources.environment["INTEGRATION_ENCRYPTION_KEY"] = std::string(64, 'a');
  auto const report = config::diagnose(config::examine(scene.sources), {{"Database", Status::ok, "reachable", ""}});
  EXPECT_EQ(report.verdict(), Status::ok) << to_text(report);
}

TEST(Doctor, gives_the_worst_check_as_verdict) {
  EXPECT_EQ(config::Report{}.verdict(), Status::ok);
  EXPECT_EQ((config::Report{{{"a", Status::ok, "", ""}, {"b", Status::warn, "", ""}}}.verdict()), Status::warn);
  EXPECT_EQ((config::Report{{{"a", Status::fail, "", ""}, {"b", Status::warn, "", ""}}}.verdict()), Status::fail);
}

}  // namespace
