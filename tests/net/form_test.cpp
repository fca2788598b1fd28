#include "gateway/net/form.h"

#include <gtest/gtest.h>

#include <random>

namespace {

net::Form decoded(std::string_view body) {
  auto form = net::decode_form(body);
  EXPECT_TRUE(form.has_value()) << (form ? "" : form.error().detail);
  return form.value_or(net::Form{});
}

base::Fault refusal(std::string_view body, net::FormLimits const& limits = {}) {
  auto const form = net::decode_form(body, limits);
  EXPECT_FALSE(form.has_value()) << body;
  return form ? base::Fault::unavailable : form.error().fault;
}

TEST(Form, decodes_plus_as_space_and_percent_pairs_as_bytes) {
  EXPECT_EQ(decoded("Body=1+%2B+1%3d2&City=S%C3%A3o+Paulo"), (net::Form{{"Body", "1 + 1=2"}, {"City", "São Paulo"}}));
}

TEST(Form, keeps_empty_values_repeated_names_spaces_and_order) {
  net::Form const expected{{"ToCity", ""}, {"b", "2"}, {"a", " 1  "}, {"b", ""}, {"bare", ""}, {"", "nameless"}};
  EXPECT_EQ(decoded("ToCity=&b=2&a=+1++&b=&bare&=nameless"), expected);
}

TEST(Form, takes_only_the_first_equals_sign_as_the_separator) {
  EXPECT_EQ(decoded("a=b=c"), (net::Form{{"a", "b=c"}}));
}

TEST(Form, sees_no_field_between_two_ampersands) {
  EXPECT_EQ(decoded("&&a=1&&b=2&"), (net::Form{{"a", "1"}, {"b", "2"}}));
  EXPECT_TRUE(decoded("").empty());
}

TEST(Form, keeps_bytes_that_are_not_utf8_and_zero_bytes) {
  EXPECT_EQ(decoded("a=%FF%00x"), (net::Form{{"a", std::string{"\xff\0x", 3}}}));
}

TEST(Form, refuses_broken_escapes) {
  for (auto const* body : {"a=%", "a=%4", "a=%4g", "%zz=1", "a=1&b=%%41"})
    EXPECT_EQ(refusal(body), base::Fault::protocol);
}

TEST(Form, refuses_more_fields_or_bytes_than_allowed) {
  EXPECT_EQ(refusal("a&b&c", {.max_fields = 2}), base::Fault::too_large);
  EXPECT_TRUE(net::decode_form("a&b&c", {.max_fields = 3}).has_value());
  EXPECT_EQ(refusal(std::string(64 * 1024 + 1, 'a')), base::Fault::too_large);
  EXPECT_TRUE(net::decode_form(std::string(64 * 1024, 'a')).has_value());
}

TEST(Form, decodes_what_it_encoded) {
  std::mt19937 random{7};
  std::uniform_int_distribution<int> byte{0, 255}, length{0, 20}, fields{1, 30};
  for (int round = 0; round < 2000; ++round) {
    net::Form form(static_cast<std::size_t>(fields(random)));
    for (auto& [name, value] : form) {
      for (int i = length(random); i > 0; --i) name += static_cast<char>(byte(random));
      for (int i = length(random); i > 0; --i) value += static_cast<char>(byte(random));
    }
    ASSERT_EQ(decoded(net::encode_form(form)), form);
  }
}

TEST(Form, encodes_as_browsers_do) {
  EXPECT_EQ(net::encode_form({{"a b", "1+1=2&*"}, {"é~", ""}}), "a+b=1%2B1%3D2%26*&%C3%A9%7E=");
}

TEST(Form, percent_encodes_all_but_unreserved_characters) {
  EXPECT_EQ(net::percent_encode("a-b._~ /?+é\n"), "a-b._~%20%2F%3F%2B%C3%A9%0A");
}

TEST(Form, finds_the_first_value_of_a_name_and_minds_letter_case) {
  net::Form const form{{"to", "lower"}, {"To", "upper"}, {"To", "second"}};
  EXPECT_EQ(net::find(form, "To"), "upper");
  EXPECT_EQ(net::find(form, "TO"), "");
}

}  // namespace
