#include "gateway/base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

namespace {

using testing::HasSubstr;

struct LogFile : testing::Test {
  std::filesystem::path folder = [] {
    std::string name = std::filesystem::temp_directory_path() / "log-test-XXXXXX";
    return std::filesystem::path{::mkdtemp(name.data())};
  }();
  std::filesystem::path path = folder / "log";

  ~LogFile() override { std::filesystem::remove_all(folder); }

  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> all;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }
};

using Log = LogFile;

TEST_F(Log, writes_one_json_object_a_line) {
  auto const log = base::Log::to_file(path, base::LogLevel::info);
  log.info("bridge ended", {{"cause", "hung_up"}, {"ms", 1234}, {"gain", 0.5}, {"ok", true}});
  log.flush();
  auto const all = lines();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["event"], "bridge ended");
  EXPECT_EQ(all[0]["level"], "info");
  EXPECT_EQ(all[0]["cause"], "hung_up");
  EXPECT_EQ(all[0]["ms"], 1234);
  EXPECT_EQ(all[0]["gain"], 0.5);
  EXPECT_EQ(all[0]["ok"], true);
  EXPECT_THAT(all[0]["time"].get<std::string>(), testing::EndsWith("Z"));
}

TEST_F(Log, escapes_hostile_values_so_that_no_line_can_be_forged) {
  auto const log = base::Log::to_file(path, base::LogLevel::info);
  std::string const forged =
      "x\"}\n{\"level\":\"error\",\"event\":\"forged\r\0\x1b[31m"
      "\\";
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  log.info(forged, {{forged, forged}, {"bytes", every_byte}});
  log.flush();
  auto const all = lines();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["event"], forged);
  EXPECT_EQ(all[0][forged], forged);
}

TEST_F(Log, stays_valid_json_with_bytes_that_are_not_utf8) {
  auto const log = base::Log::to_file(path, base::LogLevel::info);
  auto const broken = {"\xC3",         "\xC0\xAF",         "\xE0\x80\x80",
                       "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
                       "\xFF\xFE",     "a\xE2\x82",        "\xF8\x88\x80\x80\x80"};
  for (auto const* text : broken) log.info("broken", {{"text", text}});
  log.info("whole", {{"text", "grüße ☎ 📞 \uD7FF \uE000"}});
  log.flush();
  auto const all = lines();  // the parser refuses anything that is not UTF-8
  ASSERT_EQ(all.size(), broken.size() + 1);
  EXPECT_EQ(all.back()["text"], "grüße ☎ 📞 \uD7FF \uE000");
}

TEST_F(Log, stays_valid_json_with_numbers_that_json_lacks) {
  auto const log = base::Log::to_file(path, base::LogLevel::info);
  log.info("numbers", {{"nan", std::nan("")}, {"inf", HUGE_VAL}, {"min", std::numeric_limits<std::int64_t>::min()}});
  log.flush();
  auto const all = lines();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0]["nan"].is_null());
  EXPECT_TRUE(all[0]["inf"].is_null());
  EXPECT_EQ(all[0]["min"], std::numeric_limits<std::int64_t>::min());
}

TEST_F(Log, carries_the_fields_of_with_into_every_line_of_the_copy_only) {
  auto const log = base::Log::to_file(path, base::LogLevel::info);
  auto const call = log.with({{"call", "call_1"}});
  auto const leg = call.with({{"leg", "agent"}});
  log.info("one");
  call.info("two");
  leg.info("three", {{"ms", 3}});
  log.flush();
  auto const all = lines();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_FALSE(all[0].contains("call"));
  EXPECT_EQ(all[1]["call"], "call_1");
  EXPECT_FALSE(all[1].contains("leg"));
  EXPECT_EQ(all[2]["call"], "call_1");
  EXPECT_EQ(all[2]["leg"], "agent");
  EXPECT_EQ(all[2]["ms"], 3);
}

TEST_F(Log, leaves_out_what_is_below_its_level) {
  auto const log = base::Log::to_file(path, base::LogLevel::warning);
  log.debug("a");
  log.info("b");
  log.warning("c");
  log.error("d");
  log.flush();
  auto const all = lines();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["level"], "warning");
  EXPECT_EQ(all[1]["level"], "error");
}

TEST_F(Log, flush_returns_when_everything_is_written) {
  auto const log = base::Log::to_file(path, base::LogLevel::debug);
  for (int i = 0; i < 5000; ++i) log.debug("line", {{"i", i}});
  log.flush();
  EXPECT_EQ(lines().size(), 5000u);
}

TEST_F(Log, silent_swallows_everything) {
  auto const log = base::Log::silent();
  log.with({{"a", 1}}).error("nobody hears this");
  log.flush();
}

// A pipe nobody reads stops the writer thread after 64 KiB; the threads that log must not notice.
TEST_F(Log, overflow_drops_the_oldest_lines_and_never_blocks_the_caller) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  int const pipe = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(pipe, 0);
  auto const log = base::Log::to_file(path, base::LogLevel::info);
  constexpr int many = 30000;
  for (int i = 0; i < many; ++i) log.info("flood", {{"i", i}, {"padding", "0123456789012345678901234567890123456789"}});

  // Reaching this line is the claim; the rest shows which lines were kept.
  std::string text;
  std::size_t kept = 0;
  std::string const last = "\"i\":" + std::to_string(many - 1) + ",";
  while (text.find(last) == std::string::npos) {
    pollfd ready{pipe, POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 10000), 1) << "the newest line never came";
    std::array<char, 65536> chunk;
    auto const got = ::read(pipe, chunk.data(), chunk.size());
    ASSERT_GT(got, 0);
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  kept = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  EXPECT_LT(kept, 12000u);
  EXPECT_GT(kept, 4000u);
  log.flush();
  ::close(pipe);
}

}  // namespace
