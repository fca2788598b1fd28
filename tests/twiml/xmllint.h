#pragma once
// libxml2 as a second opinion on our XML, through its command line tool.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace test {

inline bool xmllint_is_installed() {
  return std::system("command -v xmllint >/dev/null 2>&1") == 0;
}

/// A folder of this process that disappears with the object.
class ScratchFolder {
 public:
  ScratchFolder() : path_{std::filesystem::path{testing::TempDir()} / ("twiml-" + std::to_string(::getpid()))} {
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(ScratchFolder const&) = delete;
  ScratchFolder& operator=(ScratchFolder const&) = delete;
  std::string write(std::string const& name, std::string const& text) const {
    std::ofstream{path_ / name, std::ios::binary} << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// What libxml2 reads at that XPath, as text.
inline std::string xmllint_text(std::string const& xml, std::string const& xpath) {
  ScratchFolder const folder;
  auto const command = "xmllint --nonet --xpath 'string(" + xpath + ")' " + folder.write("document.xml", xml) + " 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::string text;
  std::array<char, 4096> chunk{};
  while (auto const got = std::fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk.data(), got);
  ::pclose(pipe);
  if (text.ends_with('\n')) text.pop_back();  // added by the tool
  return text;
}

/// How many of the documents libxml2 finds malformed; one process for all of them.
inline int xmllint_refuses(std::vector<std::string> const& documents) {
  ScratchFolder const folder;
  auto command = std::string{"xmllint --nonet --noout"};
  for (auto const& document : documents) {
    command += " " + folder.write(std::to_string(&document - documents.data()), document);
  }
  if (std::system((command + " >/dev/null 2>&1").c_str()) == 0) return 0;
  int refused = 0;
  for (auto const& document : documents) {
    auto const one = "xmllint --nonet --noout " + folder.write("one", document) + " 2>&1";
    if (std::system(one.c_str()) != 0) ++refused;
  }
  return refused;
}

}  // namespace test
