#include "loadtest/load/delivery.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace {

using sim::load::Delivery;
using sim::load::Tally;

class DeliveryTest : public testing::Test {
 protected:
  void arrive(std::initializer_list<std::uint32_t> frames) {
    for (auto const frame : frames) delivery.take(frame);
  }
  void arrive_all(std::uint32_t from, std::uint32_t to) {
    for (auto frame = from; frame < to; ++frame) delivery.take(frame);
  }

  Tally tally;
  Delivery delivery{tally};
};

TEST_F(DeliveryTest, finds_nothing_wrong_with_frames_in_order) {
  arrive_all(0, 1000);
  delivery.finish(1000, 1000);
  EXPECT_EQ(tally.received, 1000);
  EXPECT_EQ(tally.lost, 0);
  EXPECT_EQ(tally.swapped, 0);
  EXPECT_EQ(tally.duplicated, 0);
}

TEST_F(DeliveryTest, counts_frames_that_are_jumped_over_as_lost) {
  arrive({0, 1, 5, 6, 9});
  EXPECT_EQ(tally.lost, 5);
  EXPECT_EQ(tally.received, 5);
}

TEST_F(DeliveryTest, counts_the_beginning_when_it_is_missing) {
  arrive({3, 4});
  EXPECT_EQ(tally.lost, 3);
}

TEST_F(DeliveryTest, takes_back_the_loss_of_a_frame_that_only_came_late) {
  arrive({0, 2, 3, 1, 4});
  EXPECT_EQ(tally.lost, 0);
  EXPECT_EQ(tally.swapped, 1);
  EXPECT_EQ(tally.duplicated, 0);
}

TEST_F(DeliveryTest, tells_a_repeated_frame_from_a_swapped_one) {
  arrive({0, 1, 1, 2, 0});
  EXPECT_EQ(tally.duplicated, 2);
  EXPECT_EQ(tally.swapped, 0);
  EXPECT_EQ(tally.lost, 0);
}

TEST_F(DeliveryTest, counts_a_swapped_frame_that_comes_again_as_repeated) {
  arrive({0, 2, 1, 1});
  EXPECT_EQ(tally.swapped, 1);
  EXPECT_EQ(tally.duplicated, 1);
}

TEST_F(DeliveryTest, remembers_gaps_across_many_later_frames) {
  arrive({0});
  arrive_all(2, 60);
  arrive({1});
  EXPECT_EQ(tally.swapped, 1);
  EXPECT_EQ(tally.lost, 0);
}

TEST_F(DeliveryTest, counts_all_frames_of_a_gap_longer_than_its_memory) {
  arrive({0, 500, 501});
  EXPECT_EQ(tally.lost, 499);
  arrive({499});
  EXPECT_EQ(tally.swapped, 1);
  EXPECT_EQ(tally.lost, 498);
}

TEST_F(DeliveryTest, counts_the_end_when_it_is_missing) {
  tally.sent = 100;
  arrive_all(0, 80);
  delivery.finish(100, 100);
  EXPECT_EQ(tally.lost, 20);
  EXPECT_EQ(tally.sent, 100);
}

TEST_F(DeliveryTest, excuses_what_was_on_its_way_when_the_call_ended) {
  tally.sent = 100;
  arrive_all(0, 95);
  delivery.finish(100, 90);
  EXPECT_EQ(tally.lost, 0);
  EXPECT_EQ(tally.sent, 95) << "the others did not have to arrive";
}

TEST_F(DeliveryTest, does_not_miss_what_was_thrown_away_on_purpose) {
  tally.sent = 60;
  arrive_all(0, 30);
  delivery.forgive_before(50);
  arrive_all(50, 60);
  EXPECT_EQ(tally.lost, 0);
  EXPECT_EQ(tally.sent, 40);
}

TEST_F(DeliveryTest, still_misses_what_was_lost_before) {
  arrive({0, 1, 4});
  delivery.forgive_before(10);
  arrive({10});
  EXPECT_EQ(tally.lost, 2);
}

}  // namespace
