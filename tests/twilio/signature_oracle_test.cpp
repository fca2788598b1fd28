// Our signatures against Twilio's own Node library. Needs SWITCHBOARD_JS to name tests/js with its packages installed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "gateway/twilio/signature.h"

namespace {

namespace twilio = gateway::twilio;
namespace fs = std::filesystem;

struct Case {
  std::string token;
  std::string url;
  net::Form form;
  std::string signature;
};

struct Verdict {
  std::string expected;
  bool accepted;
};

std::string output_of(std::string const& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  std::array<char, 65536> chunk{};
  while (auto const got = std::fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk.data(), got);
  return ::pclose(pipe) == 0 ? text : std::string{};
}

std::vector<Verdict> ask_official_library(fs::path const& folder, std::vector<Case> const& cases) {
  auto const questions = fs::path{testing::TempDir()} / ("signatures-" + std::to_string(::getpid()) + ".jsonl");
  {
    std::ofstream file{questions, std::ios::binary};
    for (auto const& [token, url, form, signature] : cases) {
      auto params = nlohmann::json::array();
      for (auto const& [name, value] : form) params.push_back({name, value});
      file << nlohmann::json{{"token", token}, {"url", url}, {"params", params}, {"signature", signature}}.dump()
           << '\n';
    }
  }
  std::istringstream answers{
      output_of("cd '" + folder.string() + "' && node signature_oracle.mjs < '" + questions.string() + "'")};
  fs::remove(questions);
  std::vector<Verdict> verdicts;
  for (std::string line; std::getline(answers, line);) {
    auto const answer = nlohmann::json::parse(line);
    verdicts.push_back({answer.at("expected"), answer.at("accepted")});
  }
  return verdicts;
}

/// Requests as Twilio and its imitators would make them: odd names, repeated values, every script, ports, strange
/// queries.
class Requests {
 public:
  Case next() {
    Case request{.token = text(32, "0123456789abcdef"), .url = url(), .form = form(), .signature = {}};
    auto signed_url = request.url;
    if (chance(3)) signed_url = variant(signed_url);
    auto signed_form = request.form;
    if (chance(8) && !signed_form.empty()) signed_form.front().second += "x";
    request.signature = twilio::sign(base::Secret{request.token}, signed_url, signed_form);
    if (chance(20)) request.signature[pick(request.signature.size())] = 'A';
    if (chance(50)) request.signature.clear();
    return request;
  }

 private:
  std::size_t pick(std::size_t size) { return random_() % size; }
  bool chance(std::size_t one_in) { return pick(one_in) == 0; }

  std::string text(std::size_t length, std::string_view alphabet) {
    std::string out;
    while (length-- > 0) out += alphabet[pick(alphabet.size())];
    return out;
  }

  std::string value() {
    static std::vector<std::string> const pieces{"",
                                                 " ",
                                                 "  ",
                                                 "+",
                                                 "%",
                                                 "&",
                                                 "=",
                                                 "a",
                                                 "Z",
                                                 "0",
                                                 "9",
                                                 "_",
                                                 "~",
                                                 "'",
                                                 "\"",
                                                 "\\",
                                                 "\n",
                                                 "\r\n",
                                                 "\t",
                                                 "é",
                                                 "ß",
                                                 "日本",
                                                 "👋",
                                                 "～",
                                                 "\xee\x80\x80",
                                                 "𝔘",
                                                 "%2B",
                                                 "<b>",
                                                 "+14155550100",
                                                 "null"};
    std::string out;
    for (auto count = pick(6); count > 0; --count) out += pieces[pick(pieces.size())];
    return out;
  }

  net::Form form() {
    static std::vector<std::string> const names{"CallSid", "From",      "To", "to", "ToCity", "Toll", "_z", "a",
                                                "Body",    "MediaUrl0", "10", "9",  "é",      "👋",   "～"};
    net::Form out;
    for (auto count = pick(15); count > 0; --count) out.emplace_back(names[pick(names.size())], value());
    return out;
  }

  std::string url() {
    static std::vector<std::string> const queries{
        "",      "?a=1&b=2", "?x=%2Fa", "?x=%2fa",  "?n=O'Brien", "?n=O%27Brien", "?b=2&a=1&b=3",
        "?flag", "?e=&f",    "?s=a+b",  "?s=a%20b", "?u=%C3%A9",  "?q=(1)*!~"};
    static std::vector<std::string> const ports{"", "", "", ":443", ":80", ":8443"};
    auto out = std::string{chance(5) ? "http://" : "https://"} + "gw.example.com" + ports[pick(ports.size())];
    return out + "/" + text(pick(8), "abc/-_.0") + "p" + queries[pick(queries.size())];
  }

  /// The same address as another back end may have written it, or not.
  std::string variant(std::string url) {
    auto const host_end = url.find("example.com") + 11;
    switch (pick(6)) {
      case 0:
        return url.insert(host_end, ":443");
      case 1:
        return url.insert(host_end, ":80");
      case 2:
        return url[host_end] == ':' ? url.erase(host_end, url.find('/', host_end) - host_end) : url;
      case 3:
        return url.contains('\'') ? url.replace(url.find('\''), 1, "%27") : url + "&z=1";
      case 4:
        return url.contains("%2f") ? url.replace(url.find("%2f"), 3, "%2F") : url;
      default:
        return url + "/";
    }
  }

  std::mt19937 random_{2026};
};

TEST(SignatureOracle, agrees_with_the_official_library_both_ways) {
  auto const* const folder = std::getenv("SWITCHBOARD_JS");
  if (folder == nullptr)
    GTEST_SKIP() << "SWITCHBOARD_JS is not set: run `npm ci` in tests/js and set it to that folder";
  if (!fs::exists(fs::path{folder} / "node_modules" / "twilio")) {
    GTEST_SKIP() << "no twilio package in " << folder << ": run `npm ci` there";
  }
  Requests requests;
  std::vector<Case> cases;
  for (int i = 0; i < 2500; ++i) cases.push_back(requests.next());
  auto const verdicts = ask_official_library(folder, cases);
  ASSERT_EQ(verdicts.size(), cases.size()) << "the oracle did not answer; is node installed?";

  int accepted = 0, other_order = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    auto const& [token, url, form, signature] = cases[i];
    std::vector<base::Secret> const tokens{base::Secret{token}};
    auto const shown = url + " " + nlohmann::json(form).dump();
    EXPECT_TRUE(twilio::accepts_form(tokens, url, form, verdicts[i].expected)) << "their signature refused: " << shown;
    accepted += verdicts[i].accepted;
    // The library sorts by UTF-16 unit, we sign by byte and accept both: they part only where a character of
    // U+E000..U+FFFF meets one beyond the basic plane.
    if (twilio::sign(base::Secret{token}, url, form) == verdicts[i].expected) {
      EXPECT_EQ(twilio::accepts_form(tokens, url, form, signature), verdicts[i].accepted) << shown;
    } else {
      EXPECT_TRUE(shown.find("\xf0\x9f") != shown.npos || shown.find("\xf0\x9d") != shown.npos) << shown;
      ++other_order;
    }
  }
  EXPECT_LT(other_order, 600);
  EXPECT_GT(accepted, 1000);
  EXPECT_LT(accepted, 2300);
}

}  // namespace
