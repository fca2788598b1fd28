#include "config/value.h"

#include <gtest/gtest.h>

#include <set>

#include "config/encryption_key.h"
#include "config/network_list.h"
#include "config/spelling.h"
#include "config/web_address.h"

namespace {

using namespace std::chrono_literals;

TEST(Duration, reads_a_whole_number_and_a_unit) {
  EXPECT_EQ(config::read_duration("200ms"), 200ms);
  EXPECT_EQ(config::read_duration("8s"), 8s);
  EXPECT_EQ(config::read_duration("5m"), 5min);
  EXPECT_EQ(config::read_duration("1h"), 1h);
  EXPECT_EQ(config::read_duration("0s"), 0ms);
}

TEST(Duration, refuses_everything_else) {
  for (auto const* text : {"", "5", "s", "-5s", "+5s", "1.5s", "5 s", " 5s", "5S", "5sec", "5s ",
                           "9223372036854775807h", "99999999999999999999ms"}) {
    EXPECT_EQ(config::read_duration(text), std::nullopt) << text;
  }
}

TEST(Duration, is_written_as_it_is_read) {
  for (auto const* text : {"0s", "20ms", "1500ms", "8s", "90s", "2m", "1h", "36h"}) {
    EXPECT_EQ(config::write_duration(*config::read_duration(text)), text);
  }
}

TEST(WebAddress, takes_apart_what_an_operator_writes) {
  auto const address = config::read_web_address("https://voice.example.com:8443/prefix/x");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->scheme, "https");
  EXPECT_EQ(address->host, "voice.example.com");
  EXPECT_EQ(address->path, "/prefix/x");
  EXPECT_EQ(config::read_web_address("http://[::1]:3000")->host, "[::1]");
}

TEST(WebAddress, refuses_what_could_mean_two_things) {
  for (auto const* text : {"",
                           "voice.example.com",
                           "ftp://x",
                           "HTTPS://x",
                           "https://",
                           "https:///x",
                           "https://user@x",
                           "https://user:pass@x",
                           "https://x?q=1",
                           "https://x/#f",
                           "https://x y",
                           "https://x:0",
                           "https://x:65536",
                           "https://x:",
                           "https://x:80a",
                           "https://[::1",
                           "https://[zz]",
                           "https://[::1]x",
                           "https://.x",
                           "https://-x",
                           "https://ü.de",
                           "https://x/\n",
                           "https://x\\y",
                           "https://a:1:2"}) {
    EXPECT_FALSE(config::read_web_address(text)) << text;
  }
}

TEST(WebAddress, knows_this_machine) {
  for (auto const* host : {"localhost", "voice.localhost", "127.0.0.1", "127.9.9.9", "[::1]"})
    EXPECT_TRUE(config::is_loopback(host)) << host;
  for (auto const* host :
       {"example.com", "127.0.0.1.example.com", "localhost.example.com", "[::2]", "10.0.0.1", "127.1"})
    EXPECT_FALSE(config::is_loopback(host)) << host;
}

TEST(EncryptionKey, reads_hex_and_base64_to_the_same_bytes) {
  std::string const hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  auto const from_hex = config::decode_encryption_key(hex);
  auto const from_base64 = config::decode_encryption_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
  ASSERT_TRUE(from_hex && from_base64);
  EXPECT_EQ(from_hex->reveal().size(), 32U);
  EXPECT_EQ(from_hex->reveal()[31], '\x1f');
  EXPECT_EQ(from_hex->reveal(), from_base64->reveal());
}

TEST(EncryptionKey, refuses_anything_else) {
  std::string const hex(64, 'a');
  std::string const base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  for (auto const& text : {std::string{}, hex.substr(1), hex + "a", "g" + hex.substr(1), "0x" + hex.substr(2),
                           base64.substr(0, 43), base64.substr(0, 42) + "9=", base64.substr(0, 42) + "==", " " + hex,
                           std::string(44, '='), std::string(32, 'a')}) {
    EXPECT_FALSE(config::decode_encryption_key(text)) << text;
  }
}

TEST(EncryptionKey, reads_several_older_keys) {
  std::string const one(64, '1');
  std::string const two(64, '2');
  auto const keys = config::decode_encryption_keys(one + ", " + two);
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 2U);
  EXPECT_TRUE(config::decode_encryption_keys("")->empty());
  EXPECT_FALSE(config::decode_encryption_keys(one + ",,"));
}

TEST(NetworkList, holds_ranges_and_single_addresses) {
  for (auto const* text : {"10.0.0.0/8", "10.1.0.0/16, fd00::/8", "192.0.2.7", "::1,127.0.0.0/8", "0.0.0.0/0", "::/0"})
    EXPECT_TRUE(config::is_network_list(text)) << text;
  for (auto const* text : {"10.0.0.1/8", "10.0.0.0/33", "fd00::1/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8",
                           "localhost", "10.0.0.0/8,", ",", "[::1]", "10.0.0.0 /8"})
    EXPECT_FALSE(config::is_network_list(text)) << text;
}

TEST(PortList, holds_ports) {
  for (auto const* text : {"443", "8443, 3000", "1,65535"}) EXPECT_TRUE(config::is_port_list(text)) << text;
  for (auto const* text : {"0", "65536", "http", "443,", "-1", "4 43", "80-90"})
    EXPECT_FALSE(config::is_port_list(text)) << text;
}

TEST(Spelling, suggests_the_nearest_name_only_when_it_is_near) {
  std::vector<config::Spelling> const known = {{"PORT", "PORT"}, {"TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN"}};
  EXPECT_EQ(config::nearest("TWILLIO_AUTH_TOKEN", known), "TWILIO_AUTH_TOKEN");
  EXPECT_EQ(config::nearest("twilio_auth_tokn", known), "TWILIO_AUTH_TOKEN");
  EXPECT_EQ(config::nearest("PROT", known), "PORT");
  EXPECT_EQ(config::nearest("SOMETHING_ELSE", known), "");
  EXPECT_EQ(config::nearest(std::string(10'000, 'P'), known), "");
}

TEST(Table, names_everything_once_and_explains_it) {
  std::set<std::string> names;
  std::set<std::string> paths;
  std::set<std::string> flags;
  for (auto const& setting : config::table()) {
    EXPECT_TRUE(names.insert(std::string{setting.name}).second) << setting.name;
    EXPECT_TRUE(names.insert(config::file_name_of(setting)).second) << setting.name;
    EXPECT_TRUE(paths.insert(std::string{setting.path}).second) << setting.path;
    EXPECT_TRUE(flags.insert(config::flag_of(setting)).second) << setting.name;
    EXPECT_TRUE(setting.about.ends_with('.')) << setting.name;
    if (config::is_secret(setting)) EXPECT_TRUE(setting.standard.empty()) << setting.name;
  }
}

TEST(Table, keeps_what_is_secret_in_a_type_that_cannot_be_printed) {
  config::Settings settings;
  for (auto const& setting : config::table())
    EXPECT_EQ(std::holds_alternative<base::Secret*>(setting.slot(settings)), config::is_secret(setting))
        << setting.name;
}

TEST(Table, tells_the_defaults_that_the_fields_have) {
  config::Settings const untouched;
  for (auto const& setting : config::table()) {
    if (setting.name == "SWITCHBOARD_RECORDING_DIRECTORY") continue;  // follows the data directory
    EXPECT_EQ(config::shown(setting, untouched), setting.standard) << setting.name;
    config::Settings stored;
    if (!setting.standard.empty()) EXPECT_TRUE(config::store(setting, setting.standard, stored)) << setting.name;
    EXPECT_EQ(config::shown(setting, stored), setting.standard) << setting.name;
  }
}

}  // namespace
