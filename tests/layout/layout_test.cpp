#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// A room is a folder, named by its path from the root. Longer names win: gateway/net is not the process room
/// "gateway".
using Room = std::string;

/// The arrows: which rooms a room may include besides itself. Process files (gateway/*.cpp) may include everything
/// above the tests and the simulators.
std::map<Room, std::set<Room>> const arrows{
    {"gateway/base", {}},
    {"gateway/net", {"gateway/base"}},
    {"config", {"gateway/base"}},
    {"media", {}},
    {"twiml", {}},
    {"crm", {"gateway/base", "gateway/net", "config"}},
    {"gateway/call", {"gateway/base", "gateway/net", "config", "media", "crm"}},
    {"gateway/twilio", {"gateway/base", "gateway/net", "config", "media", "crm", "gateway/call", "twiml"}},
    {"gateway/agent", {"gateway/base", "gateway/net", "config", "media", "crm", "gateway/call"}},
    {"gateway/agent/elevenlabs",
     {"gateway/base", "gateway/net", "config", "media", "crm", "gateway/call", "gateway/agent"}},
    {"gateway/web",
     {"gateway/base", "gateway/net", "config", "media", "twiml", "crm", "gateway/call", "gateway/twilio",
      "gateway/agent", "gateway/agent/elevenlabs"}},
    {"gateway/commands", {"gateway/base", "config", "crm", "gateway/call"}},
    {"gateway",
     {"gateway/base", "gateway/net", "config", "media", "twiml", "crm", "gateway/call", "gateway/twilio",
      "gateway/agent", "gateway/agent/elevenlabs", "gateway/web", "gateway/commands"}},
    {"loadtest", {"gateway/base", "gateway/net", "media"}},
};

/// Single files that a room may include although their room is closed to it.
std::set<std::pair<Room, std::string>> const exceptions{
    {"media", "gateway/base/result.h"},
    {"twiml", "gateway/base/result.h"},
};
/// The table of agent providers is the one place that names them.
bool names_the_providers(std::string const& file) {
  return file == "gateway/agent/agents.cpp" || file == "gateway/agent/agents.h";
}

struct Include {
  std::size_t line;
  std::string path;
};

struct SourceFile {
  std::string path;  // from the root, with forward slashes
  std::vector<std::string> lines;
  std::vector<Include> includes;

  bool is_header() const { return path.ends_with(".h"); }
  std::string at(std::size_t line) const { return path + ":" + std::to_string(line) + ": "; }
};

std::optional<Include> include_in(std::string const& line, std::size_t number) {
  static std::regex const pattern{R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])"};
  std::smatch found;
  if (!std::regex_search(line, found, pattern)) return {};
  return Include{number, found[1]};
}

SourceFile read(fs::path const& root, fs::path const& file) {
  SourceFile source{fs::relative(file, root).generic_string(), {}, {}};
  std::ifstream stream{file};
  for (std::string line; std::getline(stream, line);) {
    source.lines.push_back(line);
    if (auto include = include_in(line, source.lines.size())) source.includes.push_back(*include);
  }
  return source;
}

std::vector<SourceFile> const& sources() {
  static auto const all = [] {
    std::vector<SourceFile> found;
    fs::path const root{SOURCE_ROOT};
    for (auto const* top : {"gateway", "media", "twiml", "crm", "config", "loadtest"}) {
      if (!fs::exists(root / top)) continue;
      for (auto const& entry : fs::recursive_directory_iterator{root / top}) {
        auto const extension = entry.path().extension();
        if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp"))
          found.push_back(read(root, entry.path()));
      }
    }
    std::ranges::sort(found, {}, &SourceFile::path);
    return found;
  }();
  return all;
}

Room room_of(std::string_view path) {
  Room best;
  for (auto const& [room, may] : arrows)
    if (path.starts_with(room + "/") && room.size() > best.size()) best = room;
  return best;
}

bool may_include(SourceFile const& file, std::string const& target) {
  auto const from = room_of(file.path);
  auto const to = room_of(target);
  if (from == to || arrows.at(from).contains(to)) return true;
  if (from == "gateway/agent" && to == "gateway/agent/elevenlabs") return names_the_providers(file.path);
  return exceptions.contains({from, target});
}

std::string allowed(Room const& room) {
  std::string text = "itself";
  for (auto const& other : arrows.at(room)) text += ", " + other;
  return text;
}

bool is_ours(std::string const& include) {
  return !room_of(include).empty();
}

/// Collects complaints and fails once with all of them, one a line.
class Complaints {
 public:
  ~Complaints() { EXPECT_TRUE(text_.empty()) << text_; }
  void add(std::string const& complaint) { text_ += "\n" + complaint; }

 private:
  std::string text_;
};

TEST(Layout, finds_the_tree) {
  EXPECT_GT(sources().size(), 50u);
  for (auto const* must : {"gateway/base/result.h", "gateway/net/websocket.cpp", "media/mulaw.h"})
    EXPECT_TRUE(std::ranges::find(sources(), must, &SourceFile::path) != sources().end()) << must;
}

TEST(Layout, every_arrow_between_rooms_points_down) {
  Complaints complaints;
  for (auto const& file : sources()) {
    if (room_of(file.path).empty()) {
      complaints.add(file.at(1) + "this file is in no room that the layout knows");
      continue;
    }
    for (auto const& include : file.includes)
      if (is_ours(include.path) && !may_include(file, include.path))
        complaints.add(file.at(include.line) + room_of(file.path) + " may not include " + include.path + " (only " +
                       allowed(room_of(file.path)) + ")");
  }
}

TEST(Layout, our_own_files_are_included_from_the_root) {
  Complaints complaints;
  fs::path const root{SOURCE_ROOT};
  for (auto const& file : sources()) {
    for (auto const& include : file.includes) {
      bool const relative = include.path.starts_with("./") || include.path.starts_with("../");
      bool const beside = !is_ours(include.path) && fs::exists((root / file.path).parent_path() / include.path);
      if (relative || beside) complaints.add(file.at(include.line) + "include \"" + include.path + "\" from the root");
      bool const exists = !is_ours(include.path) || fs::exists(root / include.path);
      if (!exists) complaints.add(file.at(include.line) + include.path + " does not exist");
    }
  }
}

TEST(Layout, heavy_headers_stay_behind_their_door) {
  struct Door {
    std::string prefix;
    std::string rule;
    bool (*open_for)(SourceFile const&);
  };
  std::vector<Door> const doors{
      {"boost/beast", "Beast is included by gateway/net/*.cpp only (20 s a file)",
       [](SourceFile const& f) { return room_of(f.path) == "gateway/net" && !f.is_header(); }},
      {"nlohmann/", "JSON stops at the door: no nlohmann header in a header",
       [](SourceFile const& f) { return !f.is_header(); }},
      {"libpq-fe.h", "libpq is known to crm/pg only",
       [](SourceFile const& f) { return f.path.starts_with("crm/pg/"); }},
      {"curl/", "HTTP goes out through net::HttpClient only",
       [](SourceFile const& f) { return room_of(f.path) == "gateway/net" && !f.is_header(); }},
  };
  Complaints complaints;
  for (auto const& file : sources())
    for (auto const& include : file.includes)
      for (auto const& door : doors)
        if (include.path.starts_with(door.prefix) && !door.open_for(file))
          complaints.add(file.at(include.line) + door.rule);
}

TEST(Layout, media_and_twiml_know_no_sockets_json_or_coroutines) {
  Complaints complaints;
  for (auto const& file : sources()) {
    auto const room = room_of(file.path);
    if (room != "media" && room != "twiml") continue;
    for (auto const& include : file.includes)
      for (auto const* foreign : {"boost/asio", "boost/beast", "nlohmann/", "sys/socket.h", "coroutine"})
        if (include.path.starts_with(foreign))
          complaints.add(file.at(include.line) + room + " is pure: no " + include.path);
  }
}

TEST(Layout, every_header_has_pragma_once) {
  Complaints complaints;
  for (auto const& file : sources())
    if (file.is_header() && std::ranges::find(file.lines, "#pragma once") == file.lines.end())
      complaints.add(file.at(1) + "#pragma once is missing");
}

TEST(Layout, every_file_is_read_in_one_sitting) {
  constexpr std::size_t most = 600;
  Complaints complaints;
  for (auto const& file : sources())
    if (file.lines.size() > most)
      complaints.add(file.at(most + 1) + "a file has at most " + std::to_string(most) + " lines, this one " +
                     std::to_string(file.lines.size()));
}

TEST(Layout, every_name_is_a_concept) {
  Complaints complaints;
  std::set<std::string> const empty_names{"utils", "util", "common", "helpers", "helper", "manager", "impl", "misc"};
  static std::regex const snake{R"(^[a-z0-9]+(_[a-z0-9]+)*$)"};
  for (auto const& file : sources()) {
    for (auto const& part : fs::path{file.path}.replace_extension()) {
      auto const name = part.string();
      if (!std::regex_match(name, snake)) complaints.add(file.at(1) + "\"" + name + "\" is not snake_case");
      std::size_t start = 0;
      while (start < name.size()) {
        auto const end = std::min(name.find('_', start), name.size());
        if (empty_names.contains(name.substr(start, end - start)))
          complaints.add(file.at(1) + "\"" + name +
                         "\" is a concept not yet found (no utils, common, helpers, manager, impl)");
        start = end + 1;
      }
    }
  }
}

// The rules themselves: a layout test that lets everything pass would be green too.

SourceFile imagined(std::string path, std::string include) {
  auto line = "#include \"" + include + "\"";
  return {std::move(path), {line}, {*include_in(line, 1)}};
}

TEST(LayoutRules, know_which_room_a_file_is_in) {
  EXPECT_EQ(room_of("gateway/process.cpp"), "gateway");
  EXPECT_EQ(room_of("gateway/net/url.h"), "gateway/net");
  EXPECT_EQ(room_of("gateway/agent/agents.cpp"), "gateway/agent");
  EXPECT_EQ(room_of("gateway/agent/elevenlabs/session.cpp"), "gateway/agent/elevenlabs");
  EXPECT_EQ(room_of("crm/adapters/hubspot/mapping.cpp"), "crm");
  EXPECT_EQ(room_of("boost/asio.hpp"), "");
}

TEST(LayoutRules, refuse_wrong_arrows) {
  for (auto const& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"gateway/base/a.h", "gateway/net/url.h"},
                                                        {"gateway/net/a.h", "gateway/call/call.h"},
                                                        {"config/a.h", "gateway/net/url.h"},
                                                        {"media/a.h", "gateway/base/log.h"},
                                                        {"twiml/a.h", "gateway/base/async.h"},
                                                        {"crm/a.h", "media/frame.h"},
                                                        {"crm/a.h", "gateway/call/ending.h"},
                                                        {"gateway/call/a.h", "gateway/twilio/rest.h"},
                                                        {"gateway/call/a.h", "gateway/agent/elevenlabs/session.h"},
                                                        {"gateway/call/a.h", "gateway/web/routes.h"},
                                                        {"gateway/call/a.h", "twiml/verbs.h"},
                                                        {"gateway/twilio/a.h", "gateway/agent/agents.h"},
                                                        {"gateway/agent/agent.h", "gateway/agent/elevenlabs/session.h"},
                                                        {"gateway/agent/elevenlabs/a.h", "gateway/twilio/rest.h"},
                                                        {"gateway/web/a.h", "gateway/process.h"},
                                                        {"gateway/process.cpp", "loadtest/sim/twilio/sim_call.h"},
                                                        {"loadtest/sim/a.h", "gateway/call/leg.h"},
                                                        {"loadtest/sim/a.h", "twiml/document.h"},
                                                        {"loadtest/sim/a.h", "crm/ledger.h"}})
    EXPECT_FALSE(may_include(imagined(from, to), to)) << from << " -> " << to;
}

TEST(LayoutRules, let_right_arrows_pass) {
  for (auto const& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"media/a.h", "gateway/base/result.h"},
           {"twiml/a.h", "gateway/base/result.h"},
           {"crm/a.h", "config/settings.h"},
           {"gateway/twilio/a.h", "twiml/answers.h"},
           {"gateway/agent/agents.cpp", "gateway/agent/elevenlabs/session.h"},
           {"gateway/agent/elevenlabs/a.h", "gateway/agent/agent.h"},
           {"gateway/main.cpp", "gateway/process.h"},
           {"gateway/process.cpp", "gateway/web/routes.h"},
           {"loadtest/sim/a.h", "gateway/net/websocket.h"},
           {"loadtest/swarm.h", "loadtest/sim/a.h"}})
    EXPECT_TRUE(may_include(imagined(from, to), to)) << from << " -> " << to;
}

TEST(LayoutRules, see_an_include_however_it_is_written) {
  EXPECT_EQ(include_in("#include \"media/a.h\"", 3)->path, "media/a.h");
  EXPECT_EQ(include_in("  #  include <boost/beast.hpp>  // why", 3)->path, "boost/beast.hpp");
  EXPECT_FALSE(include_in("// #include \"media/a.h\"", 3));
  EXPECT_FALSE(include_in("auto x = \"#include\";", 3));
}

}  // namespace
