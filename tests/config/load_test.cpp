#include "config/load.h"

#include <gtest/gtest.h>

#include "tests/config/scene.h"

namespace {

using namespace std::chrono_literals;
using test::ConfigScene;
using Lines = std::vector<std::string>;

TEST(Settings, need_nothing_for_a_tool) {
  ConfigScene scene;
  auto const settings = config::load(scene.sources);
  EXPECT_EQ(settings.http.port, 3000);
  EXPECT_EQ(settings.ops.port, 9464);
  EXPECT_EQ(settings.ops.address, "127.0.0.1");
  EXPECT_EQ(settings.media.playout_lead, 200ms);
  EXPECT_EQ(settings.drain_grace, 30s);
  EXPECT_EQ(settings.limits.max_sockets, 20'000U);
  EXPECT_EQ(settings.recording.directory, "data/recordings");
  EXPECT_FALSE(settings.recording.enabled_by_default);
}

TEST(Settings, come_from_the_later_source) {
  ConfigScene scene;
  scene.toml("cores = 1\n[http]\nport = 1001\n[ops]\nport = 2001\n[limits]\nmax_calls = 11\n");
  EXPECT_EQ(config::load(scene.sources).cores, 1U);
  EXPECT_EQ(config::load(scene.sources).http.port, 1001);
  scene.dotenv("PORT=1002\nSWITCHBOARD_OPS_PORT=2002\nSWITCHBOARD_MAX_CALLS=12\n");
  EXPECT_EQ(config::load(scene.sources).http.port, 1002);
  scene.sources.environment = {{"PORT", "1003"}, {"SWITCHBOARD_OPS_PORT", "2003"}};
  EXPECT_EQ(config::load(scene.sources).http.port, 1003);
  scene.sources.flags = {{"port", "1004"}};
  auto const settings = config::load(scene.sources);
  EXPECT_EQ(settings.http.port, 1004);
  EXPECT_EQ(settings.ops.port, 2003);
  EXPECT_EQ(settings.limits.max_calls, 12U);
  EXPECT_EQ(settings.cores, 1U);
}

TEST(Settings, fall_back_to_the_default_when_a_later_source_is_empty) {
  ConfigScene scene;
  scene.dotenv("PORT=1002\n");
  scene.sources.environment = {{"PORT", ""}};
  EXPECT_EQ(config::load(scene.sources).http.port, 3000);
}

TEST(Settings, read_every_kind_of_value_from_toml) {
  ConfigScene scene;
  scene.toml(R"(
data_dir = "/srv/switchboard"
drain_grace = "5m"
log_level = "debug"
[http]
address = "::"
public_base_url = "https://voice.example.com/"
[media]
message_frames = 2
playout_lead = "400ms"
[recording]
enabled_by_default = true
)");
  auto const settings = config::load(scene.sources);
  EXPECT_EQ(settings.drain_grace, 5min);
  EXPECT_EQ(settings.log_level, base::LogLevel::debug);
  EXPECT_EQ(settings.http.address, "::");
  EXPECT_EQ(settings.http.public_base_url, "https://voice.example.com");
  EXPECT_EQ(settings.media.message_frames, 2U);
  EXPECT_EQ(settings.media.playout_lead, 400ms);
  EXPECT_TRUE(settings.recording.enabled_by_default);
  EXPECT_EQ(settings.recording.directory, "/srv/switchboard/recordings");
}

TEST(Settings, read_a_dotenv_file_from_windows) {
  ConfigScene scene;
  scene.dotenv("\xEF\xBB\xBF# settings\r\nexport PORT=4000\r\nTWILIO_AUTH_TOKEN=\"quoted\"\r\nOPENAI_MODEL='a b'\r\n");
  auto const settings = config::load(scene.sources);
  EXPECT_EQ(settings.http.port, 4000);
  EXPECT_EQ(settings.twilio.auth_token.reveal(), "quoted");
  EXPECT_EQ(settings.openai.model, "a b");
}

TEST(Settings, of_the_environment_only_our_names_count) {
  ConfigScene scene;
  scene.sources.environment = {
      {"PATH", "/bin"}, {"PROT", "1"}, {"SWITCHBOARD_TEST_DATABASE", "x"}, {"SWITCHBOARD_JS", "1"}};
  EXPECT_EQ(scene.faults(), Lines{});
}

TEST(Settings, name_all_that_serve_misses) {
  ConfigScene scene;
  scene.sources.purpose = config::Purpose::serve;
  EXPECT_EQ(scene.faults(), (Lines{"PUBLIC_BASE_URL: is missing; set it, or http.public_base_url in switchboard.toml",
                                   "TWILIO_ACCOUNT_SID: is missing; set it, or twilio.account_sid in switchboard.toml",
                                   "TWILIO_AUTH_TOKEN: is missing; set TWILIO_AUTH_TOKEN or TWILIO_AUTH_TOKEN_FILE"}));
  scene.is_ready_to_serve();
  EXPECT_EQ(scene.faults(), Lines{});
}

TEST(Settings, report_every_fault_of_every_source_at_once) {
  ConfigScene scene;
  scene.toml("[http]\nprot = 1\n[media]\nplayout_lead = 200\n");
  scene.dotenv("PORTT=1\nnonsense\n");
  scene.sources.environment = {{"SWITCHBOARD_COREZ", "1"}, {"PORT", "http"}};
  scene.sources.flags = {{"opsport", "1"}};
  EXPECT_EQ(
      scene.faults(),
      (Lines{"http.prot: no setting has this name (switchboard.toml line 2); did you mean http.port?",
             "media.playout_lead: the value has the wrong type (switchboard.toml line 4); write a duration in quotes, "
             "such as \"8s\"",
             ".env line 2: there is no = in the line; write NAME=value, in quotes when the value holds spaces or #",
             "PORTT: no setting has this name (.env line 1); did you mean PORT?",
             "SWITCHBOARD_COREZ: no setting has this name (environment); did you mean SWITCHBOARD_CORES?",
             "--opsport: there is no such flag; did you mean --ops-port?",
             "PORT: \"http\" is not a number (environment); write a whole number from 0 to 65535"}));
}

struct Refused {
  char const* name;
  char const* value;
  char const* line;  ///< Behind "NAME: ".
};

TEST(Settings, refuse_bad_values_with_the_fix) {
  Refused const table[] = {
      {"PORT", "65536", "65536 is out of range (environment); write a whole number from 0 to 65535"},
      {"PORT", "-1", "-1 is out of range (environment); write a whole number from 0 to 65535"},
      {"PORT", "3000 ", "\"3000 \" is not a number (environment); write a whole number from 0 to 65535"},
      {"SWITCHBOARD_ADDRESS", "localhost",
       "\"localhost\" is not an IP address (environment); write for example 127.0.0.1, 0.0.0.0 or ::"},
      {"SWITCHBOARD_PLAYOUT_LEAD", "200",
       "\"200\" is not a duration (environment); write for example 200ms, 8s, 5m or 1h"},
      {"SWITCHBOARD_PLAYOUT_LEAD", "5m", "5m is out of range (environment); write a duration from 20ms to 2s"},
      {"SWITCHBOARD_LOG_LEVEL", "loud",
       "\"loud\" is no log level (environment); write debug, info, warning, error or off"},
      {"SWITCHBOARD_RECORDING_ENABLED", "maybe", "\"maybe\" is neither yes nor no (environment); write true or false"},
      {"TWILIO_ACCOUNT_SID", "AC12",
       "is not an Account SID (environment); copy AC and its 32 hex digits from the Twilio console"},
      {"PUBLIC_BASE_URL", "voice.example.com",
       "is not https://host[:port] without path, query or user (environment); write for example "
       "https://voice.example.com"},
      {"PUBLIC_BASE_URL", "https://voice.example.com/app",
       "is not https://host[:port] without path, query or user (environment); write for example "
       "https://voice.example.com"},
      {"PUBLIC_BASE_URL", "http://voice.example.com",
       "is plain http beyond this machine, which Twilio's media streams refuse (environment); use https://"},
      {"TWILIO_API_BASE_URL", "https://user:hush@x",
       "is not an http(s) address without query or user (environment); write for example https://api.example.com"},
      {"ELEVENLABS_ORIGIN", "https://x/y",
       "is not an origin (environment); write scheme and host only, for example https://voice.example.com"},
      {"OPENAI_MODEL", "a\nb", "\"a\\x0ab\" holds characters that cannot be printed (environment); use plain ASCII"},
      {"TWILIO_AUTH_TOKEN", "hush hush",
       "holds a space, a line break or a character beyond ASCII (environment); copy the credential again, nothing "
       "around it"},
      {"DATABASE_URL", "mysql://u:hush@h",
       "is not a PostgreSQL address (environment); write postgresql://user:password@host:5432/database"},
      {"SMTP_URL", "hush", "is not a mail server address (environment); write smtps://user:password@host:465"},
      {"SLACK_WEBHOOK_URL", "http://hush",
       "is not an https address (environment); copy the whole address, https:// included"},
      {"INTEGRATION_ENCRYPTION_KEY", "hush",
       "is neither 64 hex digits nor base64 of 32 bytes (environment); make one with switchboard "
       "generate-encryption-key"},
  };
  for (auto const& row : table) {
    ConfigScene scene;
    scene.sources.environment = {{row.name, row.value}};
    EXPECT_EQ(scene.faults(), Lines{std::string{row.name} + ": " + row.line});
  }
}

TEST(Settings, accept_plain_http_on_loopback_for_a_trial) {
  ConfigScene scene;
  scene.sources.environment = {{"PUBLIC_BASE_URL", "http://127.0.0.1:3000"}};
  EXPECT_EQ(config::load(scene.sources).http.public_base_url, "http://127.0.0.1:3000");
}

struct Contradiction {
  std::map<std::string, std::string> environment;
  char const* line;
};

TEST(Settings, refuse_what_cannot_hold_together) {
  std::string const key(64, 'a');
  Contradiction const table[] = {
      {{{"PORT", "9464"}}, "SWITCHBOARD_OPS_PORT: is 9464, as PORT is; give each listener its own port"},
      {{{"SWITCHBOARD_TLS_CERT", "chain.pem"}},
       "SWITCHBOARD_TLS_CERT: is set without SWITCHBOARD_TLS_KEY; set both, or none"},
      {{{"SWITCHBOARD_TLS_KEY", "key.pem"}},
       "SWITCHBOARD_TLS_KEY: is set without SWITCHBOARD_TLS_CERT; set both, or none"},
      {{{"SWITCHBOARD_TLS_CERT", "chain.pem"},
        {"SWITCHBOARD_TLS_KEY", "key.pem"},
        {"PUBLIC_BASE_URL", "http://127.0.0.1:3000"}},
       "PUBLIC_BASE_URL: is http://, but with SWITCHBOARD_TLS_CERT the listener speaks https; write it with https://"},
      {{{"SWITCHBOARD_MESSAGE_FRAMES", "11"}},
       "SWITCHBOARD_MESSAGE_FRAMES: 11 frames are 220ms, more than SWITCHBOARD_PLAYOUT_LEAD (200ms); send fewer frames "
       "in a message, or keep a larger lead"},
      {{{"SWITCHBOARD_MAX_SOCKETS", "100"}},
       "SWITCHBOARD_MAX_CALLS: 5000 calls need as many sockets, SWITCHBOARD_MAX_SOCKETS allows 100; allow fewer calls, "
       "or more sockets"},
      {{{"SWITCHBOARD_MAX_CALL_DURATION", "5s"}},
       "SWITCHBOARD_DEAD_AIR_AFTER: is longer than SWITCHBOARD_MAX_CALL_DURATION; make it shorter"},
      {{{"CHATWOOT_API_KEY", "hush"}},
       "CHATWOOT_BASE_URL: needs CHATWOOT_ACCOUNT_ID and CHATWOOT_API_KEY beside it; set all three, or none"},
      {{{"TWILIO_AUTH_TOKEN_SECONDARY", "hush"}},
       "TWILIO_AUTH_TOKEN_SECONDARY: is set without TWILIO_AUTH_TOKEN; set the first token as well"},
      {{{"INTEGRATION_ENCRYPTION_KEY_PREVIOUS", key}},
       "INTEGRATION_ENCRYPTION_KEY_PREVIOUS: is set without INTEGRATION_ENCRYPTION_KEY; make a new key with "
       "switchboard generate-encryption-key"},
      {{{"INTEGRATION_ENCRYPTION_KEY", key}, {"INTEGRATION_ENCRYPTION_KEY_PREVIOUS", std::string(64, 'b') + "," + key}},
       "INTEGRATION_ENCRYPTION_KEY_PREVIOUS: holds the current key; list older keys only"},
  };
  for (auto const& row : table) {
    ConfigScene scene;
    scene.sources.environment = row.environment;
    EXPECT_EQ(scene.faults(), Lines{row.line});
  }
}

TEST(Settings, let_two_listeners_share_a_port_on_different_addresses_or_take_free_ones) {
  ConfigScene scene;
  scene.sources.environment = {{"PORT", "9464"}, {"SWITCHBOARD_ADDRESS", "127.0.0.2"}};
  EXPECT_EQ(scene.faults(), Lines{});
  scene.sources.environment = {{"PORT", "0"}, {"SWITCHBOARD_OPS_PORT", "0"}};
  EXPECT_EQ(scene.faults(), Lines{});
}

TEST(Settings, refuse_unknown_and_misshapen_toml) {
  ConfigScene scene;
  scene.toml(R"(PORT = 1
"http.port" = 5
http = { porrt = 2 }
[medai]
[media.playout_lead]
x = 1
[limits]
max_calls = 1.5
)");
  EXPECT_EQ(
      scene.faults(),
      (Lines{"PORT: no setting has this name (switchboard.toml line 1); did you mean http.port?",
             "http.porrt: no setting has this name (switchboard.toml line 3); did you mean http.port?",
             "\"http.port\": no setting has this name (switchboard.toml line 2); did you mean http.port?",
             "limits.max_calls: the value has the wrong type (switchboard.toml line 8); write a whole number",
             "medai: no setting has this name (switchboard.toml line 4); remove it, or see switchboard serve --help",
             "media.playout_lead: the value has the wrong type (switchboard.toml line 5); write a duration in quotes, "
             "such as \"8s\""}));
}

TEST(Settings, point_at_broken_toml_without_repeating_it) {
  ConfigScene scene;
  scene.toml("[twilio]\nauth_token = hush0123456789\n");
  auto const faults = scene.faults();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_TRUE(faults.front().starts_with("switchboard.toml line 2: is not TOML at column ")) << faults.front();
  EXPECT_EQ(faults.front().find("hush"), std::string::npos);
}

TEST(Settings, need_the_file_that_was_named) {
  ConfigScene scene;
  EXPECT_EQ(scene.faults(), Lines{});
  scene.sources.toml_must_exist = true;
  EXPECT_EQ(scene.faults(),
            Lines{"switchboard.toml: does not exist; name a readable file with --config, or leave the flag out"});
}

TEST(Secrets, are_refused_on_the_command_line) {
  ConfigScene scene;
  scene.sources.flags = {{"twilio-auth-token", "hush"}};
  EXPECT_EQ(scene.faults(),
            Lines{"--twilio-auth-token: a secret on the command line can be read by every user of the machine; set "
                  "TWILIO_AUTH_TOKEN or TWILIO_AUTH_TOKEN_FILE, or pass --twilio-auth-token-file"});
}

TEST(Secrets, are_refused_in_toml) {
  ConfigScene scene;
  scene.toml("[twilio]\nauth_token = \"hush\"\n");
  EXPECT_EQ(
      scene.faults(),
      Lines{"twilio.auth_token: secrets are not read from here (switchboard.toml line 2); set TWILIO_AUTH_TOKEN in the "
            "environment, or twilio.auth_token_file here"});
}

TEST(Secrets, are_read_from_the_file_that_any_source_names) {
  ConfigScene scene;
  auto const file = scene.file("token", "from-a-file\r\n", 0600).string();
  scene.sources.environment = {{"TWILIO_AUTH_TOKEN_FILE", file}};
  EXPECT_EQ(config::load(scene.sources).twilio.auth_token.reveal(), "from-a-file");
  scene.sources.environment.clear();
  scene.sources.flags = {{"twilio-auth-token-file", file}};
  EXPECT_EQ(config::load(scene.sources).twilio.auth_token.reveal(), "from-a-file");
  scene.sources.flags.clear();
  scene.dotenv("TWILIO_AUTH_TOKEN_FILE=" + file);
  EXPECT_EQ(config::load(scene.sources).twilio.auth_token.reveal(), "from-a-file");
  scene.dotenv("");
  scene.toml("[twilio]\nauth_token_file = '" + file + "'\n");
  EXPECT_EQ(config::load(scene.sources).twilio.auth_token.reveal(), "from-a-file");
}

TEST(Secrets, are_refused_from_files_that_others_may_touch) {
  struct Case {
    mode_t mode;
    char const* complaint;
  };
  for (auto const& [mode, complaint] :
       {Case{0400, ""}, Case{0600, ""}, Case{0440, ""}, Case{0640, ""}, Case{0604, "can be read by every user"},
        Case{0644, "can be read by every user"}, Case{0660, "can be written by other users"},
        Case{0602, "can be written by other users"}}) {
    ConfigScene scene;
    scene.sources.environment = {{"TWILIO_AUTH_TOKEN_FILE", scene.file("token", "hush", mode).string()}};
    auto const refusal = std::string{"TWILIO_AUTH_TOKEN_FILE: \"token\" "} + complaint +
                         " (environment); name a file with the secret alone in it, mode 0600";
    bool const is_fine = std::string_view{complaint}.empty();
    EXPECT_EQ(scene.faults(), is_fine ? Lines{} : Lines{refusal}) << std::oct << mode;
  }
}

TEST(Secrets, put_where_a_file_name_belongs_are_not_repeated) {
  ConfigScene scene;
  scene.is_ready_to_serve();
  scene.sources.environment.erase("TWILIO_AUTH_TOKEN");
  scene.sources.environment["TWILIO_AUTH_TOKEN_FILE"] = "hush0123456789";
  EXPECT_EQ(scene.faults(),
            Lines{"TWILIO_AUTH_TOKEN_FILE: the named file does not exist (environment); name a file with the "
                  "secret alone in it, mode 0600"});
}

TEST(Secrets, need_something_in_a_regular_file) {
  ConfigScene scene;
  auto const empty = scene.file("token", "\n").string();
  for (auto const& name : {empty, std::filesystem::temp_directory_path().string(), std::string{"/dev/null"}}) {
    scene.sources.environment = {{"TWILIO_AUTH_TOKEN_FILE", name}};
    EXPECT_EQ(scene.faults().size(), 1U) << name;
  }
}

TEST(Secrets, given_twice_in_one_source_are_a_fault_and_in_two_sources_not) {
  ConfigScene scene;
  auto const file = scene.file("token", "from-a-file").string();
  scene.sources.environment = {{"TWILIO_AUTH_TOKEN", "direct"}, {"TWILIO_AUTH_TOKEN_FILE", file}};
  EXPECT_EQ(scene.faults(),
            Lines{"TWILIO_AUTH_TOKEN_FILE: TWILIO_AUTH_TOKEN is given as well (environment); keep one of them"});
  scene.sources.environment["TWILIO_AUTH_TOKEN"] = "";
  EXPECT_EQ(config::load(scene.sources).twilio.auth_token.reveal(), "from-a-file");
  scene.sources.environment = {{"TWILIO_AUTH_TOKEN", "direct"}};
  scene.dotenv("TWILIO_AUTH_TOKEN_FILE=" + file);
  EXPECT_EQ(config::load(scene.sources).twilio.auth_token.reveal(), "direct");
}

TEST(Secrets, in_a_dotenv_file_for_everyone_are_a_warning) {
  ConfigScene scene;
  scene.file(".env", "TWILIO_AUTH_TOKEN=hush\n", 0644);
  auto const outcome = config::examine(scene.sources);
  ASSERT_EQ(outcome.warnings.size(), 1U);
  EXPECT_EQ(outcome.warnings.front().problem, "holds secrets and can be read by every user");
  scene.file(".env", "PORT=3001\n", 0644);
  EXPECT_TRUE(config::examine(scene.sources).warnings.empty());
}

TEST(Secrets, never_appear_in_what_the_operator_reads) {
  for (auto const* value : {"hush", "hush hush", "hush\nhush", "postgresql://u:hush@h", "https://hush", "\"hush"}) {
    ConfigScene scene;
    scene.sources.purpose = config::Purpose::serve;
    for (auto const& name :
         {"TWILIO_AUTH_TOKEN", "DATABASE_URL", "SMTP_URL", "SLACK_WEBHOOK_URL", "INTEGRATION_ENCRYPTION_KEY",
          "INTEGRATION_ENCRYPTION_KEY_PREVIOUS", "ELEVENLABS_API_KEY", "OPENAI_API_KEY"}) {
      scene.sources.environment[name] = value;
      scene.sources.flags[std::string{"x"} + name] = value;
    }
    scene.sources.flags["elevenlabs-api-key"] = value;
    scene.dotenv(std::string{"STRIPE_WEBHOOK_SECRET="} + value);
    scene.toml(std::string{"[hubspot]\napi_key = "} + value);
    for (auto const& line : scene.faults()) EXPECT_EQ(line.find("hush"), std::string::npos) << line;
  }
}

}  // namespace
