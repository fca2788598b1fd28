#include "gateway/base/text.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(Text, is_trimmed_at_both_ends_and_not_within) {
  EXPECT_EQ(base::trimmed(" \t two words\r\n"), "two words");
  EXPECT_EQ(base::trimmed("none"), "none");
  EXPECT_EQ(base::trimmed(" \r\n "), "");
  EXPECT_EQ(base::trimmed(""), "");
  EXPECT_EQ(base::trimmed(" \ta\n ", " \t"), "a\n");
}

TEST(Text, is_clipped_between_characters) {
  std::string_view const text = "a\u00FC\u20AC\U0001F600";  // one, two, three and four bytes
  std::size_t const ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t most = 0; most < std::size(ends); ++most)
    EXPECT_EQ(base::clipped(text, most), text.substr(0, ends[most])) << most;
}

TEST(Text, that_is_no_utf_8_is_clipped_all_the_same) {
  EXPECT_EQ(base::clipped("\x80\x80\x80\x80", 2), "");
  EXPECT_EQ(base::clipped("\xF0\xF0\xF0\xF0", 2), "\xF0\xF0");
}

TEST(Text, is_counted_in_characters) {
  EXPECT_EQ(base::characters_in("a\u00FC\u20AC\U0001F600"), 4U);
  EXPECT_EQ(base::characters_in(""), 0U);
}

}  // namespace
