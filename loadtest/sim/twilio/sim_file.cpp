#include "loadtest/sim/twilio/sim_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace sim::twilio {
namespace {

std::string environment(char const* name) {
  char const* const value = std::getenv(name);
  return value ? value : "";
}

std::string contents(std::filesystem::path const& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) throw WrongUsage{"cannot read " + path.string()};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

}  // namespace

SimFile read_sim_file(std::string const& path) {
  auto const directory = environment("SWITCHBOARD_DATA_DIR");
  std::filesystem::path const chosen = !path.empty()
                                           ? std::filesystem::path{path}
                                           : std::filesystem::path{directory.empty() ? "data" : directory} / "sim.json";
  SimFile file;
  if (path.empty() && !std::filesystem::exists(chosen)) return file;
  auto const json = nlohmann::json::parse(contents(chosen), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw WrongUsage{chosen.string() + " is not a JSON object"};
  auto const text = [&](char const* name) {
    return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : std::string{};
  };
  file.gateway = text("gateway");
  file.account_sid = text("account_sid");
  file.auth_token = base::Secret{text("auth_token")};
  file.number = text("number");
  file.control = text("control");
  return file;
}

void complete(SimFile& file, std::string const& account_sid, std::string const& auth_token_file) {
  auto const sid = account_sid.empty() && file.account_sid.empty() ? environment("TWILIO_ACCOUNT_SID") : account_sid;
  if (!sid.empty()) file.account_sid = sid;
  if (!auth_token_file.empty())
    file.auth_token = base::Secret{first_line(contents(auth_token_file))};
  else if (file.auth_token.empty() || !account_sid.empty()) {
    auto const token = environment("TWILIO_AUTH_TOKEN");
    if (!token.empty()) file.auth_token = base::Secret{token};
  }
}

std::chrono::milliseconds duration_of(std::string const& text) {
  char* end = nullptr;
  double const number = std::strtod(text.c_str(), &end);
  std::string const unit = end;
  double const scale = unit == "ms" ? 1 : unit == "s" || unit.empty() ? 1000 : unit == "m" ? 60000 : 0;
  if (end == text.c_str() || scale == 0 || !(number >= 0) || number * scale > 1e9)
    throw WrongUsage{"not a duration: " + text + " (examples: 20s, 2.5s, 250ms, 1m)"};
  return std::chrono::milliseconds{static_cast<std::int64_t>(number * scale)};
}

}  // namespace sim::twilio
