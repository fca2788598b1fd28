#include "gateway/base/result.h"

#include <gtest/gtest.h>

#include <set>

namespace {

base::Result<int> halve(int number) {
  if (number % 2 != 0) return base::fail(base::Fault::conflict, "odd");
  return number / 2;
}

TEST(Result, is_a_value_or_an_error) {
  EXPECT_EQ(halve(4), 2);
  auto const odd = halve(3);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().fault, base::Fault::conflict);
  EXPECT_EQ(odd.error().detail, "odd");
}

TEST(Fault, has_a_name_of_its_own_each) {
  using enum base::Fault;
  std::set<std::string_view> names;
  auto const all = {timed_out, refused, protocol, conflict, not_found, cancelled, unavailable, too_large};
  for (auto const fault : all) names.insert(base::to_string(fault));
  EXPECT_EQ(names.size(), all.size());
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
