#include "media/wav.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/media/signal.h"
#include "tests/media/sox.h"

namespace {

using media_test::sox;
using Samples = media_test::Samples;

Samples noise(std::size_t size) {
  std::mt19937 random{5};
  Samples samples(size);
  for (auto& sample : samples) sample = static_cast<std::int16_t>(random());
  return samples;
}

Samples read_by_sox(media_test::TempFolder const& folder, std::filesystem::path const& wav) {
  sox(wav.string() + " -t raw -e signed -b 16 " + (folder / "judged.raw").string());
  return media_test::samples_of(folder / "judged.raw");
}

TEST(Wav, writes_what_sox_reads) {
  media_test::TempFolder folder;
  auto const samples = noise(12345);
  ASSERT_TRUE(media::write_wav(folder / "a.wav", samples, 8000).has_value());
  EXPECT_EQ(read_by_sox(folder, folder / "a.wav"), samples);
}

TEST(Wav, reads_every_encoding_as_sox_does) {
  media_test::TempFolder folder;
  media_test::put_file(folder / "in.raw", noise(30'000));
  struct Kind {
    std::string options;
    int tolerance;  // sox clips or rounds the last step of some conversions differently
  };
  std::vector<Kind> const kinds{{"-e unsigned -b 8", 0}, {"-e signed -b 16", 0},         {"-e signed -b 24", 0},
                                {"-e signed -b 32", 0},  {"-e floating-point -b 32", 0}, {"-e mu-law", 0},
                                {"-e a-law", 0}};
  for (auto const& kind : kinds) {
    for (auto const* channels : {"1", "2", "3"}) {
      auto const file = folder / "kind.wav";
      // Reduced in volume so that the wider encodings carry bits below the sixteenth.
      sox("-t raw -r 22050 -e signed -b 16 -c " + std::string{channels} + " " + (folder / "in.raw").string() + " " +
          kind.options + " " + file.string() + " vol 0.317");
      auto const wav = media::read_wav(file);
      ASSERT_TRUE(wav.has_value()) << kind.options << ": " << wav.error().detail;
      EXPECT_EQ(wav->rate, 22050U);
      EXPECT_EQ(std::to_string(wav->channels), channels);
      auto const expected = read_by_sox(folder, file);
      ASSERT_EQ(wav->samples.size(), expected.size()) << kind.options;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(wav->samples[i], expected[i], kind.tolerance) << kind.options << " sample " << i;
      }
    }
  }
}

TEST(Wav, reads_a_stream_whose_writer_could_not_go_back_to_the_header) {
  media_test::TempFolder folder;
  auto const samples = noise(4000);
  media_test::put_file(folder / "in.raw", samples);
  sox("-t raw -r 16000 -e signed -b 16 -c 1 " + (folder / "in.raw").string() + " -t wav - | cat > " +
      (folder / "pipe.wav").string());
  auto const wav = media::read_wav(folder / "pipe.wav");
  ASSERT_TRUE(wav.has_value());
  EXPECT_EQ(wav->samples, samples);
}

TEST(Wav, mixes_channels_down_on_request) {
  media_test::TempFolder folder;
  {
    auto writer = media::WavWriter::create(folder / "stereo.wav", 8000, 2);
    ASSERT_TRUE(writer.has_value());
    ASSERT_TRUE(writer->write(Samples{100, 300, -32768, -32768, 32767, 32767, 0, -10}).has_value());
    EXPECT_EQ(writer->frames(), 4U);
  }
  auto const wav = media::read_wav(folder / "stereo.wav", media::Channels::mono);
  ASSERT_TRUE(wav.has_value());
  EXPECT_EQ(wav->channels, 1);
  EXPECT_EQ(wav->frames(), 4U);
  EXPECT_EQ(wav->samples, (Samples{200, -32768, 32767, -5}));
}

/// Records in a child process until it kills itself without a word.
void record_and_be_killed(std::filesystem::path const& path, std::uint16_t channels,
                          std::vector<Samples> const& blocks) {
  auto const child = fork();
  if (child == 0) {
    auto writer = media::WavWriter::create(path, 8000, channels);
    for (auto const& block : blocks) (void)writer->write(block);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(WavWriter, leaves_a_readable_file_with_all_but_the_last_seconds_when_killed) {
  media_test::TempFolder folder;
  std::vector<Samples> const blocks(600, Samples(160 * 2, 77));  // 12 s
  record_and_be_killed(folder / "call.wav", 2, blocks);
  auto const wav = media::read_wav(folder / "call.wav");
  ASSERT_TRUE(wav.has_value());
  EXPECT_EQ(wav->frames(), 10U * 8000);
  EXPECT_EQ(read_by_sox(folder, folder / "call.wav"), wav->samples);
}

TEST(WavWriter, leaves_a_file_whose_rest_repair_recovers) {
  media_test::TempFolder folder;
  std::vector<Samples> const blocks(600, Samples(160 * 2, 77));
  auto const file = folder / "call.wav";
  record_and_be_killed(file, 2, blocks);
  auto const on_disk = (std::filesystem::file_size(file) - 44) / 4;
  EXPECT_GT(on_disk, 10U * 8000);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 3);  // the disk lost half a sample
  ASSERT_TRUE(media::repair_wav(file).has_value());
  auto const wav = media::read_wav(file);
  ASSERT_TRUE(wav.has_value());
  EXPECT_EQ(wav->frames(), on_disk - 1);
  EXPECT_EQ(read_by_sox(folder, file), wav->samples);
  auto const before = media_test::bytes_of(file);
  ASSERT_TRUE(media::repair_wav(file).has_value());
  EXPECT_EQ(media_test::bytes_of(file), before);
}

TEST(WavWriter, leaves_a_repairable_file_even_when_killed_at_once) {
  media_test::TempFolder folder;
  record_and_be_killed(folder / "call.wav", 1, {});
  ASSERT_TRUE(media::repair_wav(folder / "call.wav").has_value());
  auto const wav = media::read_wav(folder / "call.wav");
  ASSERT_TRUE(wav.has_value());
  EXPECT_TRUE(wav->samples.empty());
}

TEST(WavWriter, says_when_the_disk_refuses) {
  media_test::TempFolder folder;
  auto const nowhere = media::WavWriter::create(folder / "no/such/folder.wav", 8000, 1);
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().fault, base::Fault::unavailable);

  auto full = media::WavWriter::create("/dev/full", 8000, 1);
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().fault, base::Fault::unavailable);
}

TEST(WavWriter, refuses_to_write_after_its_end) {
  media_test::TempFolder folder;
  auto writer = media::WavWriter::create(folder / "a.wav", 8000, 1);
  ASSERT_TRUE(writer.has_value());
  ASSERT_TRUE(writer->close().has_value());
  EXPECT_EQ(writer->write(Samples{1}).error().fault, base::Fault::refused);
  EXPECT_TRUE(writer->close().has_value());
}

TEST(RepairWav, leaves_foreign_files_alone) {
  media_test::TempFolder folder;
  media_test::put_file(folder / "in.raw", noise(1000));
  sox("-t raw -r 8000 -e signed -b 16 -c 1 " + (folder / "in.raw").string() + " -e mu-law " +
      (folder / "foreign.wav").string());
  media_test::put_file(folder / "short.wav", std::vector<std::uint8_t>{'R', 'I', 'F', 'F'});
  for (auto const* name : {"foreign.wav", "in.raw", "short.wav"}) {
    auto const before = media_test::bytes_of(folder / name);
    auto const result = media::repair_wav(folder / name);
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_EQ(result.error().fault, base::Fault::protocol);
    EXPECT_EQ(media_test::bytes_of(folder / name), before);
  }
  EXPECT_EQ(media::repair_wav(folder / "missing.wav").error().fault, base::Fault::not_found);
}

TEST(ParseWav, refuses_what_is_not_audio_it_knows) {
  media_test::TempFolder folder;
  ASSERT_TRUE(media::write_wav(folder / "good.wav", Samples{1, 2, 3}, 8000).has_value());
  auto const good = media_test::bytes_of(folder / "good.wav");
  ASSERT_TRUE(media::parse_wav(good).has_value());
  struct Damage {
    std::size_t at;
    std::uint8_t value;
  };
  for (auto const damage : {Damage{0, 'X'}, Damage{8, 'X'}, Damage{12, 'X'}, Damage{20, 2}, Damage{22, 0},
                            Damage{22, 200}, Damage{27, 0xFF}, Damage{34, 12}, Damage{16, 4}, Damage{36, 'X'}}) {
    auto bad = good;
    bad[damage.at] = damage.value;
    auto const result = media::parse_wav(bad);
    ASSERT_FALSE(result.has_value()) << damage.at;
    EXPECT_EQ(result.error().fault, base::Fault::protocol);
  }
  for (std::size_t size = 0; size < 44; ++size) {
    EXPECT_FALSE(media::parse_wav(std::span{good}.first(size)).has_value()) << size;
  }
  EXPECT_EQ(media::parse_wav(std::span{good}.first(47))->samples, Samples{1});
  EXPECT_EQ(media::read_wav(folder / "missing.wav").error().fault, base::Fault::not_found);
}

TEST(ParseWav, turns_impossible_floats_into_possible_samples) {
  media_test::TempFolder folder;
  ASSERT_TRUE(media::write_wav(folder / "f.wav", Samples(8, 0), 8000).has_value());
  auto bytes = media_test::bytes_of(folder / "f.wav");
  bytes[20] = 3;
  bytes[34] = 32;
  std::array<float, 4> const values{NAN, INFINITY, -1e30F, 0.5F};
  std::memcpy(bytes.data() + 44, values.data(), sizeof values);
  EXPECT_EQ(media::parse_wav(bytes)->samples, (Samples{0, 32767, -32768, 16384}));
}

}  // namespace
