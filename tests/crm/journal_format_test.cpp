#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "crm/journal/crc32c.h"
#include "crm/journal/segment_format.h"

namespace {

using namespace crm::journal;

std::string bytes_from_to(int from, int to) {
  std::string bytes;
  for (int i = from; from <= to ? i <= to : i >= to; from <= to ? ++i : --i) bytes += static_cast<char>(i);
  return bytes;
}

// RFC 3720 appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, gives_the_published_sums_with_and_without_the_instruction) {
  std::vector<std::pair<std::string, std::uint32_t>> const vectors{
      {"", 0},
      {"123456789", 0xE3069283},
      {std::string(32, '\0'), 0x8A9136AA},
      {std::string(32, '\xFF'), 0x62A8AB43},
      {bytes_from_to(0, 31), 0x46DD794E},
      {bytes_from_to(31, 0), 0x113FDB5C},
  };
  for (auto const& [bytes, sum] : vectors) {
    EXPECT_EQ(crc32c(bytes), sum) << bytes.size();
    EXPECT_EQ(crc32c_by_table(bytes), sum) << bytes.size();
  }
}

TEST(Crc32c, is_the_same_by_table_and_in_pieces) {
  std::mt19937 dice{7};
  std::string bytes;
  for (int length = 0; length < 300; ++length) {
    auto const sum = crc32c(bytes);
    EXPECT_EQ(crc32c_by_table(bytes), sum);
    auto const cut = bytes.empty() ? 0 : dice() % bytes.size();
    EXPECT_EQ(crc32c(bytes.substr(cut), crc32c(bytes.substr(0, cut))), sum);
    EXPECT_EQ(crc32c_by_table(bytes.substr(cut), crc32c_by_table(bytes.substr(0, cut))), sum);
    bytes += static_cast<char>(dice());
  }
}

/// A file with three records, and where each begins.
struct Sample {
  std::string bytes = segment_head();
  std::vector<std::size_t> starts;
  Sample() {
    add({Kind::snapshot, "call_1", 7, R"({"said":"Good morning"})"});
    add({Kind::forgotten, "call_2", 9, {}});
    add({Kind::snapshot, "call_3", 1, std::string(1000, 'x')});
  }
  void add(Record const& record) {
    starts.push_back(bytes.size());
    append_record(bytes, record);
  }
};

std::vector<std::string> keys(Reading const& reading) {
  std::vector<std::string> all;
  for (auto const& found : reading.records) all.emplace_back(found.record.key);
  return all;
}

using Keys = std::vector<std::string>;

TEST(Segment, gives_back_what_was_put_in) {
  Sample const sample;
  auto const reading = read_segment(sample.bytes);
  EXPECT_EQ(keys(reading), (Keys{"call_1", "call_2", "call_3"}));
  EXPECT_EQ(reading.records[0].record.payload, R"({"said":"Good morning"})");
  EXPECT_EQ(reading.records[0].record.version, 7);
  EXPECT_EQ(reading.records[1].record.kind, Kind::forgotten);
  EXPECT_EQ(reading.records[2].offset, sample.starts[2]);
  EXPECT_EQ(reading.end, sample.bytes.size());
  EXPECT_FALSE(reading.torn || reading.newer);
  EXPECT_EQ(reading.holes, 0U);
}

TEST(Segment, ends_cleanly_in_reserved_zeros_and_when_it_was_never_begun) {
  auto sample = Sample{}.bytes;
  auto const end = sample.size();
  sample.resize(end + 4096);
  EXPECT_FALSE(read_segment(sample).torn);
  EXPECT_EQ(read_segment(sample).end, end);
  for (auto const& nothing : {std::string{}, std::string(4096, '\0')}) {
    EXPECT_TRUE(read_segment(nothing).records.empty());
    EXPECT_FALSE(read_segment(nothing).torn);
    EXPECT_EQ(read_segment(nothing).holes, 0U);
  }
}

TEST(Segment, keeps_what_stands_before_a_torn_end_wherever_it_is_torn) {
  Sample const sample;
  for (std::size_t length = segment_head_bytes; length < sample.bytes.size(); ++length) {
    for (bool const zero_filled : {false, true}) {
      auto bytes = sample.bytes.substr(0, length);
      if (zero_filled) bytes.resize(sample.bytes.size() + 100);
      auto const reading = read_segment(bytes);
      auto const whole = static_cast<std::size_t>(std::ranges::count_if(
          sample.starts, [&](auto start) { return start > segment_head_bytes && start <= length; }));
      EXPECT_EQ(reading.records.size(), whole) << length;
      bool const at_a_border = std::ranges::find(sample.starts, length) != sample.starts.end();
      EXPECT_EQ(reading.torn, !at_a_border) << length;
    }
  }
}

TEST(Segment, loses_at_most_one_record_to_a_flipped_bit_and_notices_it) {
  Sample const sample;
  for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = sample.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      auto const reading = read_segment(bytes);
      auto const expected = at < segment_head_bytes ? 3U : 2U;
      ASSERT_EQ(reading.records.size(), expected) << at << "." << bit;
      EXPECT_TRUE(reading.torn || reading.holes == 1) << at << "." << bit;
    }
  }
}

TEST(Segment, reads_on_behind_a_hole) {
  auto sample = Sample{};
  for (std::size_t at = sample.starts[1]; at < sample.starts[2]; ++at) sample.bytes[at] = '\0';
  auto const reading = read_segment(sample.bytes);
  EXPECT_EQ(keys(reading), (Keys{"call_1", "call_3"}));
  EXPECT_EQ(reading.holes, 1U);
}

TEST(Segment, does_not_take_a_payload_for_a_record) {
  std::string inner;
  append_record(inner, {Kind::snapshot, "call_9", 1, "{}"});
  auto sample = Sample{};
  sample.add({Kind::snapshot, "call_4", 1, inner});
  EXPECT_EQ(keys(read_segment(sample.bytes)), (Keys{"call_1", "call_2", "call_3", "call_4"}));
}

TEST(Segment, of_a_later_version_is_not_touched) {
  std::string bytes{"SWJOURNL\x02\0\0\0", 12};
  auto const sum = crc32c(bytes);
  bytes.append(reinterpret_cast<char const*>(&sum), 4);
  append_record(bytes, {Kind::snapshot, "call_1", 1, "{}"});
  auto const reading = read_segment(bytes);
  EXPECT_TRUE(reading.newer);
  EXPECT_TRUE(reading.records.empty());
}

}  // namespace
