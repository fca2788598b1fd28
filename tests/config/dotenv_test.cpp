#include "config/dotenv.h"

#include <gtest/gtest.h>

namespace {

using config::read_dotenv;

std::string only_value(std::string_view text) {
  auto const dotenv = read_dotenv(text);
  EXPECT_TRUE(dotenv.faults.empty()) << text;
  EXPECT_EQ(dotenv.entries.size(), 1U) << text;
  return dotenv.entries.empty() ? "nothing" : std::string{dotenv.entries.front().value.reveal()};
}

struct Line {
  std::string_view text;
  std::string_view value;
};

TEST(Dotenv, reads_values_as_people_write_them) {
  Line const lines[] = {
      {"A=plain", "plain"},
      {"A=", ""},
      {"A = spaces around ", "spaces around"},
      {"\texport A=exported", "exported"},
      {"export\tA=exported", "exported"},
      {"A=windows\r\n", "windows"},
      {"\xEF\xBB\xBF"
       "A=marked",
       "marked"},
      {"A=value # comment", "value"},
      {"A=value#no-comment", "value#no-comment"},
      {"A= # only a comment", ""},
      {"A='single # \\n $HOME'", "single # \\n $HOME"},
      {R"(A="tab\tquote\"slash\\dollar\$")", "tab\tquote\"slash\\dollar$"},
      {R"(A="unknown \q stays")", "unknown \\q stays"},
      {"A=\"quoted\"  # comment", "quoted"},
      {"A=\"\"", ""},
      {"A=it's", "it's"},
      {"A=$HOME/${NOT}_expanded", "$HOME/${NOT}_expanded"},
      {"A=with=equals=signs", "with=equals=signs"},
      {"exported=1", "1"},
  };
  for (auto const& line : lines) EXPECT_EQ(only_value(line.text), line.value) << line.text;
}

TEST(Dotenv, skips_blank_lines_and_comments_and_counts_lines_from_one) {
  auto const dotenv = read_dotenv("# top\r\n\r\n  # indented\nA=1\n\nB=2");
  ASSERT_EQ(dotenv.entries.size(), 2U);
  EXPECT_EQ(dotenv.entries[0].line, 4);
  EXPECT_EQ(dotenv.entries[1].line, 6);
}

TEST(Dotenv, names_each_bad_line_and_goes_on_without_repeating_values) {
  auto const dotenv =
      read_dotenv("sk_secret\nA=1\n2B=sk_secret\nC=\"sk_secret\nA=sk_secret\nD='sk' secret\nE=ok\n=x\n");
  std::vector<int> lines;
  for (auto const& fault : dotenv.faults) {
    lines.push_back(fault.line);
    EXPECT_EQ(fault.problem.find("sk"), std::string::npos) << fault.problem;
  }
  EXPECT_EQ(lines, (std::vector<int>{1, 3, 4, 5, 6, 8}));
  ASSERT_EQ(dotenv.entries.size(), 2U);
  EXPECT_EQ(dotenv.entries[1].key, "E");
}

TEST(Dotenv, refuses_a_zero_byte) {
  EXPECT_EQ(read_dotenv(std::string_view{"A=x\0y", 5}).faults.size(), 1U);
}

}  // namespace
