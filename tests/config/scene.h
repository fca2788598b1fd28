#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace test {

/// A folder of its own with sources in it, gone afterwards.
class ConfigScene {
 public:
  ConfigScene() {
    std::string pattern = (std::filesystem::temp_directory_path() / "switchboard-config-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    sources.toml = folder_ / "switchboard.toml";
    sources.dotenv = folder_ / ".env";
  }
  ConfigScene(ConfigScene const&) = delete;
  ConfigScene& operator=(ConfigScene const&) = delete;
  ~ConfigScene() { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(std::string const& name, std::string_view text, mode_t mode = 0600) const {
    auto const path = folder_ / name;
    std::ofstream{path, std::ios::binary} << text;
    chmod(path.c_str(), mode);
    return path;
  }
  void toml(std::string_view text) const { file("switchboard.toml", text); }
  void dotenv(std::string_view text) const { file(".env", text); }

  /// Sets what serve needs, so that a test may break one thing.
  void is_ready_to_serve() {
    sources.purpose = config::Purpose::serve;
    sources.environment["PUBLIC_BASE_URL"] = "https://voice.example.com";
    sources.environment["TWILIO_ACCOUNT_SID"] = "AC0123456789abcdef0123456789abcdef";
    sources.environment["TWILIO_AUTH_TOKEN"] = "token-of-a-test";
  }

  /// The refusals, one line each; the folder's name is cut away.
  std::vector<std::string> faults() const {
    std::vector<std::string> lines;
    try {
      config::load(sources);
    } catch (config::Invalid const& invalid) {
      lines = invalid.lines();
    }
    auto const prefix = folder_.string() + "/";
    for (auto& line : lines)
      for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix)) line.erase(at, prefix.size());
    return lines;
  }

  config::Sources sources;

 private:
  std::filesystem::path folder_;
};

inline std::string content_of(std::filesystem::path const& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace test
