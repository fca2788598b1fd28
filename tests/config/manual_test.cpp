#include "config/manual.h"

#include <gtest/gtest.h>

#include <regex>

#include "config/value.h"
#include "tests/config/scene.h"

namespace {

/// Takes the # away from every line that holds a setting.
std::string uncommented(std::string const& text) {
  return std::regex_replace(text, std::regex{"(^|\n)#(?=[A-Za-z_]+ ?=)"}, "$1");
}

/// Compares with the file in the tree; SWITCHBOARD_TEST_WRITE_EXAMPLES=1 writes it instead.
void expect_file(std::string const& name, std::string const& text) {
  std::filesystem::path const file = std::filesystem::path{SOURCE_ROOT} / name;
  if (std::getenv("SWITCHBOARD_TEST_WRITE_EXAMPLES") != nullptr) std::ofstream{file, std::ios::binary} << text;
  EXPECT_EQ(test::content_of(file), text) << name << " is not what the table says";
}

TEST(Examples, in_the_tree_are_what_the_table_says) {
  expect_file("config/switchboard.example.toml", config::example_toml());
  expect_file("config/env.example", config::example_env());
}

TEST(Examples, load_to_the_defaults_when_everything_is_uncommented) {
  test::ConfigScene scene;
  scene.toml(uncommented(config::example_toml()));
  scene.dotenv(uncommented(config::example_env()));
  EXPECT_EQ(scene.faults(), std::vector<std::string>{});
  auto const settings = config::load(scene.sources);
  config::Settings const defaults;
  for (auto const& setting : config::table())
    EXPECT_EQ(config::shown(setting, settings), config::shown(setting, defaults)) << setting.name;
}

TEST(Examples, hold_every_setting_where_it_is_allowed) {
  auto const toml = uncommented(config::example_toml());
  auto const env = uncommented(config::example_env());
  for (auto const& setting : config::table()) {
    auto const key = "\n" + std::string{setting.path.substr(setting.path.rfind('.') + 1)} + " = ";
    if (!config::is_secret(setting)) EXPECT_NE(toml.find(key), std::string::npos) << setting.path;
    EXPECT_NE(env.find("\n" + std::string{setting.name} + "=" + std::string{setting.standard} + "\n"),
              std::string::npos)
        << setting.name;
  }
}

TEST(Help, tells_flag_name_path_and_default_of_every_setting) {
  auto const help = config::help_text();
  EXPECT_NE(help.find("--port <port>"), std::string::npos);
  EXPECT_NE(help.find("[SWITCHBOARD_PLAYOUT_LEAD, media.playout_lead; default 200ms]"), std::string::npos);
  EXPECT_NE(help.find("--twilio-auth-token-file <path>"), std::string::npos);
  EXPECT_EQ(help.find("--twilio-auth-token "), std::string::npos);
  for (auto const& setting : config::table()) {
    EXPECT_NE(help.find("--" + config::flag_of(setting)), std::string::npos) << setting.name;
    EXPECT_NE(help.find(setting.name), std::string::npos) << setting.name;
    if (!setting.standard.empty())
      EXPECT_NE(help.find("default " + std::string{setting.standard}), std::string::npos) << setting.name;
  }
}

TEST(Help, offers_only_flags_that_loading_accepts) {
  test::ConfigScene scene;
  for (auto const& doc : config::flag_docs()) scene.sources.flags[doc.flag] = "";
  EXPECT_EQ(scene.faults(), std::vector<std::string>{});
}

}  // namespace
