#include "gateway/call/recording.h"

#include <gtest/gtest.h>

#include <fstream>

#include "media/mulaw.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;

constexpr std::uint8_t caller_voice = 0x10;
constexpr std::uint8_t agent_voice = 0x90;

struct Stereo {
  std::vector<std::int16_t> left;
  std::vector<std::int16_t> right;
  milliseconds length() const { return milliseconds{static_cast<std::int64_t>(left.size()) / 8}; }
  /// Milliseconds in which a channel speaks.
  static std::int64_t spoken(std::vector<std::int16_t> const& channel) {
    return std::ranges::count_if(channel, [](std::int16_t s) { return s > 50 || s < -50; }) / 8;
  }
};

class Recorded : public ::testing::Test {
 protected:
  ~Recorded() override { std::filesystem::remove_all(directory_); }

  void call_begins() {
    desk_.emplace(directory_, metrics_, base::Log::silent());
    recording_ = desk_->start("call_1");
  }
  void caller_says(milliseconds at, milliseconds length) { recording_->caller(at, voice(caller_voice, length)); }
  void agent_says(milliseconds at, milliseconds length) { recording_->agent(at, voice(agent_voice, length)); }
  Stereo call_ends() {
    recording_.reset();
    desk_.reset();
    std::ifstream file{directory_ / "call_1.wav", std::ios::binary};
    std::vector<char> const bytes{std::istreambuf_iterator<char>{file}, {}};
    Stereo stereo;
    for (std::size_t at = 44; at + 4 <= bytes.size(); at += 4) {
      stereo.left.push_back(sample(bytes, at));
      stereo.right.push_back(sample(bytes, at + 2));
    }
    return stereo;
  }
  static std::int16_t sample(std::vector<char> const& bytes, std::size_t at) {
    return static_cast<std::int16_t>(static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1])
                                                                                 << 8);
  }
  static std::vector<std::uint8_t> voice(std::uint8_t code, milliseconds length) {
    return std::vector<std::uint8_t>(static_cast<std::size_t>(length.count()) * 8, code);
  }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("switchboard-recording-test-" + std::to_string(::getpid()));
  base::Metrics metrics_;
  std::optional<RecordingDesk> desk_;
  std::unique_ptr<Recording> recording_;
};

TEST_F(Recorded, puts_the_caller_left_and_the_agent_right) {
  call_begins();
  caller_says(milliseconds{0}, milliseconds{500});
  agent_says(milliseconds{500}, milliseconds{300});
  recording_->passed(milliseconds{3000});
  auto const stereo = call_ends();
  EXPECT_EQ(Stereo::spoken(stereo.left), 500);
  EXPECT_EQ(Stereo::spoken(stereo.right), 300);
  EXPECT_GT(std::abs(stereo.right[8 * 600]), 50);
  EXPECT_LT(std::abs(stereo.right[8 * 400]), 50);
}

TEST_F(Recorded, leaves_out_what_the_interruption_spared_the_caller) {
  call_begins();
  agent_says(milliseconds{0}, milliseconds{60});
  agent_says(milliseconds{60}, milliseconds{60});
  agent_says(milliseconds{120}, milliseconds{60});
  recording_->cut(milliseconds{100});
  recording_->passed(milliseconds{200});
  EXPECT_EQ(Stereo::spoken(call_ends().right), 100);
}

TEST_F(Recorded, is_readable_by_its_owner_only) {
  call_begins();
  EXPECT_EQ(std::filesystem::status(directory_).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(Recorded, says_where_it_will_be) {
  call_begins();
  EXPECT_EQ(recording_->path(), (directory_ / "call_1.wav").string());
}

}  // namespace
}  // namespace gateway
