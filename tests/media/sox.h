#pragma once
// sox, the independent judge of these tests: a separate program with its own codecs and file readers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace media_test {

/// A folder of its own that goes away with the test.
class TempFolder {
 public:
  TempFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "media_test.XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    path_ = pattern;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(TempFolder const&) = delete;
  TempFolder& operator=(TempFolder const&) = delete;

  std::filesystem::path operator/(std::string const& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::vector<std::uint8_t> bytes_of(std::filesystem::path const& path) {
  std::ifstream file{path, std::ios::binary};
  std::vector<char> const chars{std::istreambuf_iterator<char>(file), {}};
  return {chars.begin(), chars.end()};
}

inline std::vector<std::int16_t> samples_of(std::filesystem::path const& path) {
  auto const bytes = bytes_of(path);
  std::vector<std::int16_t> samples(bytes.size() / 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<std::int16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
  }
  return samples;
}

template <class T>
void put_file(std::filesystem::path const& path, std::vector<T> const& values) {
  std::ofstream file{path, std::ios::binary};
  file.write(reinterpret_cast<char const*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
}

/// Runs sox without dither. A missing sox is a failure, not a reason to skip: nothing else checks these tables.
inline bool sox(std::string const& arguments) {
  static bool const installed = std::system("sox --version >/dev/null 2>&1") == 0;
  if (!installed) {
    ADD_FAILURE() << "sox is missing; install it: apt-get install sox";
    return false;
  }
  bool const worked = std::system(("sox -V1 -D " + arguments).c_str()) == 0;
  EXPECT_TRUE(worked) << "sox -V1 -D " << arguments;
  return worked;
}

}  // namespace media_test
