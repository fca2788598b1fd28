#include "gateway/net/url.h"

#include <gtest/gtest.h>

namespace {

net::Url parsed(std::string_view text) {
  auto url = net::parse_url(text);
  EXPECT_TRUE(url.has_value()) << text;
  return url.value_or(net::Url{});
}

TEST(Url, takes_an_absolute_url_apart) {
  auto const url = parsed("https://user:p%40ss@Voice.example.com:8443/a/b%2Fc?x=1&y=%2f#rc=2");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.userinfo, "user:p%40ss");
  EXPECT_EQ(url.host, "Voice.example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/a/b%2Fc");
  EXPECT_EQ(url.query, "x=1&y=%2f");
}

TEST(Url, writes_back_what_it_read) {
  for (auto const* text : {"http://localhost", "https://h.example/", "wss://h.example/media/twilio?a=b&c",
                           "ws://127.0.0.1:3000/x", "https://u@h/%7Ea", "https://[2001:db8::1]:8443/x?y"}) {
    EXPECT_EQ(net::to_string(parsed(text)), text);
  }
}

TEST(Url, drops_the_fragment_and_an_empty_port_and_lowers_the_scheme) {
  EXPECT_EQ(net::to_string(parsed("HTTPS://h.example:/a#rc=2&rp=all")), "https://h.example/a");
}

TEST(Url, knows_default_ports) {
  EXPECT_EQ(parsed("https://h").port_or_default(), 443);
  EXPECT_EQ(parsed("wss://h").port_or_default(), 443);
  EXPECT_EQ(parsed("http://h").port_or_default(), 80);
  EXPECT_EQ(parsed("ws://h").port_or_default(), 80);
  EXPECT_EQ(parsed("ws://h:81").port_or_default(), 81);
}

TEST(Url, gives_the_host_header_and_the_request_target) {
  auto const url = parsed("https://u:p@[::1]:99?q=1");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.authority(), "[::1]:99");
  EXPECT_EQ(url.target(), "/?q=1");
  EXPECT_EQ(parsed("http://h").target(), "/");
  EXPECT_EQ(parsed("http://h/a?b").target(), "/a?b");
}

TEST(Url, changes_only_the_scheme_on_request) {
  EXPECT_EQ(net::to_string(parsed("https://h:1/a?b").with_scheme("wss")), "wss://h:1/a?b");
}

TEST(Url, refuses_what_is_not_an_absolute_web_url) {
  for (auto const* text : {"",
                           "example.com",
                           "/a",
                           "//h/a",
                           "ftp://h/",
                           "file:///etc/passwd",
                           "javascript:alert(1)",
                           "https:h/a",
                           "https:///a",
                           "https://",
                           "https://h:0/",
                           "https://h:65536/",
                           "https://h:99999999999/",
                           "https://h:-1/",
                           "https://h:a/",
                           "https://a b/",
                           "https://h/a b",
                           "https://h/\r\nX: y",
                           "https://h/é",
                           "https://h%2eexample/",
                           "https://h!x/",
                           "https://h/%zz",
                           "https://h/?%",
                           "https://[::1",
                           "https://[v1.a]/",
                           "https://:80/",
                           "https://h\\@evil/",
                           "https://a@b@c/",
                           "https://h:80:90/",
                           "https://[::1]x/",
                           "https://1.2.3.4.5/",
                           "https://h::1/",
                           " https://h/",
                           "https://h/ "}) {
    EXPECT_FALSE(net::parse_url(text).has_value()) << text;
  }
  EXPECT_FALSE(net::parse_url(std::string{"https://h/\0", 11}).has_value());
}

TEST(Url, refuses_one_longer_than_eight_kibibytes) {
  EXPECT_TRUE(net::parse_url("https://h/" + std::string(8 * 1024 - 10, 'a')).has_value());
  auto const too_long = net::parse_url("https://h/" + std::string(8 * 1024 - 9, 'a'));
  ASSERT_FALSE(too_long.has_value());
  EXPECT_EQ(too_long.error().fault, base::Fault::too_large);
}

}  // namespace
