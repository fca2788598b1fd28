#include "gateway/base/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace {

TEST(TwilioSid, is_two_letters_and_32_hex_digits) {
  std::string const good = "CA" + std::string(32, 'a');
  EXPECT_TRUE(base::is_twilio_sid(good, "CA"));
  EXPECT_TRUE(base::is_twilio_sid("MZ0123456789abcdefABCDEF0123456789", "MZ"));
  EXPECT_FALSE(base::is_twilio_sid(good, "MZ"));
  EXPECT_FALSE(base::is_twilio_sid("", "CA"));
  EXPECT_FALSE(base::is_twilio_sid("CA", "CA"));
  EXPECT_FALSE(base::is_twilio_sid(good.substr(1), "CA"));
  EXPECT_FALSE(base::is_twilio_sid(good + "a", "CA"));
  EXPECT_FALSE(base::is_twilio_sid("CA" + std::string(31, 'a') + "g", "CA"));
  EXPECT_FALSE(base::is_twilio_sid("CA" + std::string(31, 'a') + '\0', "CA"));
  EXPECT_FALSE(base::is_twilio_sid("ca" + std::string(32, 'a'), "CA"));
}

TEST(NewId, is_prefix_underscore_and_26_characters_of_its_alphabet) {
  auto const id = base::new_id("call");
  ASSERT_TRUE(id.starts_with("call_"));
  auto const rest = id.substr(5);
  EXPECT_EQ(rest.size(), 26u);
  EXPECT_EQ(rest.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos);
}

TEST(NewId, sorts_by_the_time_it_was_made) {
  auto const millisecond = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  };
  for (int round = 0; round < 20; ++round) {
    auto const earlier = base::new_id("con");
    auto const made = millisecond();
    while (millisecond() == made) {
    }
    EXPECT_LT(earlier, base::new_id("con"));
  }
}

TEST(NewId, does_not_repeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) EXPECT_TRUE(seen.insert(base::new_id("x")).second);
}

std::size_t digits_shown(std::string_view masked) {
  auto const shown = masked.substr(0, masked.find('#'));
  return static_cast<std::size_t>(std::ranges::count_if(shown, [](char c) { return c >= '0' && c <= '9'; }));
}

TEST(MaskedPhone, never_shows_more_than_four_digits) {
  std::string number = "+";
  for (int i = 0; i < 40; ++i) {
    EXPECT_LE(digits_shown(base::masked_phone(number)), 4u) << number;
    EXPECT_LE(digits_shown(base::masked_phone(std::string_view{number}.substr(1))), 4u) << number;
    number += static_cast<char>('0' + i % 10);
  }
  EXPECT_EQ(digits_shown(base::masked_phone("911")), 0u);
  EXPECT_EQ(digits_shown(base::masked_phone("123456")), 0u);
}

TEST(MaskedPhone, keeps_the_last_four_and_tells_two_numbers_apart) {
  auto const one = base::masked_phone("+15550000100");
  EXPECT_TRUE(one.starts_with("…0100 #")) << one;
  EXPECT_EQ(one, base::masked_phone("+15550000100"));
  EXPECT_NE(one, base::masked_phone("+15551110100"));
  EXPECT_EQ(base::masked_phone(""), "none");
}

TEST(Hex, is_lower_case_and_two_digits_a_byte) {
  std::array<std::uint8_t, 3> const bytes{0x00, 0xAB, 0x7F};
  EXPECT_EQ(base::to_hex(bytes), "00ab7f");
  EXPECT_EQ(base::to_hex({}), "");
}

TEST(Random, fills_more_than_the_kernel_gives_at_once) {
  std::vector<std::uint8_t> bytes(100000);
  base::fill_random(bytes);
  std::set<std::uint8_t> const kinds(bytes.end() - 5000, bytes.end());
  EXPECT_GT(kinds.size(), 200u);
}

}  // namespace
