#include "gateway/descriptor_budget.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace gateway {
namespace {

constexpr Room wish{.calls = 5'000, .sockets = 20'000, .unproven = 4'000};

TEST(DescriptorBudget, grants_everything_where_the_limit_is_high_enough) {
  EXPECT_EQ(fit_into(descriptors_for(wish, 2), {100, 50, 20}, 2), (Room{100, 50, 20}));
}

TEST(DescriptorBudget, never_promises_more_than_the_limit_holds) {
  for (std::size_t const cores : {1U, 2U, 64U}) {
    for (std::size_t limit = descriptors_for({1, 16, 8}, cores); limit < 30'000; limit += 7) {
      auto const room = fit_into(limit, wish, cores);
      ASSERT_LE(descriptors_for(room, cores), limit);
      ASSERT_GE(room.calls, 1U);
      ASSERT_GE(room.sockets, 2U);
      ASSERT_GE(room.unproven, 1U);
      ASSERT_LE(room.unproven, room.sockets / 2) << "the unproven must never fill the listener";
    }
  }
}

TEST(DescriptorBudget, gives_to_calls_before_it_gives_to_other_connections) {
  auto const room = fit_into(20'000, wish, 2);
  EXPECT_EQ(room.calls, wish.calls);
  EXPECT_LT(room.sockets, wish.sockets);
}

TEST(DescriptorBudget, takes_fewer_calls_where_the_limit_is_low) {
  auto const room = fit_into(1'024, wish, 2);
  EXPECT_GT(room.calls, 200U);
  EXPECT_LT(room.calls, 1'024U / 2);
}

TEST(DescriptorBudget, refuses_a_limit_that_is_too_low_for_one_call_and_says_what_to_do) {
  try {
    (void)fit_into(100, wish, 2);
    FAIL() << "no call fits into that";
  } catch (std::runtime_error const& refusal) {
    EXPECT_THAT(refusal.what(), testing::HasSubstr("limit of 100 open descriptors"));
    EXPECT_THAT(refusal.what(), testing::HasSubstr("ulimit -n"));
  }
}

}  // namespace
}  // namespace gateway
