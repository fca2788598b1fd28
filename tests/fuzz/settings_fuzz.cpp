#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "config/contradictions.h"
#include "config/layer.h"
#include "config/value.h"

namespace {

/// Findings are read by people and by log collectors: one line each, printable, of bounded length.
void check(std::vector<config::Finding> const& findings) {
  for (auto const& finding : findings) {
    auto const line = finding.line();
    for (char const c : line)
      if (c < ' ' || c > '~') std::abort();
    if (line.size() > 2'000) std::abort();
  }
}

/// What is stored can be shown and read again to the same value.
void store_all(config::Layer const& layer) {
  config::Settings settings;
  for (auto const& [name, given] : layer) {
    auto const& setting = *config::find_by_name(name);
    if (given.names_file || given.text.empty()) continue;
    auto const stored = config::store(setting, given.text.reveal(), settings);
    if (!stored) check({{given.key, stored.error().problem, stored.error().fix}});
    if (!stored || config::is_secret(setting)) continue;
    auto const shown = config::shown(setting, settings);
    config::Settings again;
    if (!config::store(setting, shown, again) || config::shown(setting, again) != shown) std::abort();
  }
  check(config::contradictions(settings));
}

}  // namespace

/// The first byte chooses the source, the rest is its content: switchboard.toml, .env, or NAME=value of the environment
/// and flags, one a line.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text{reinterpret_cast<char const*>(data) + 1, size - 1};
  std::vector<config::Finding> findings;
  if (data[0] % 3 == 0)
    store_all(config::read_toml(text, "switchboard.toml", findings));
  else if (data[0] % 3 == 1)
    store_all(config::read_dotenv_layer(text, ".env", findings));
  else {
    std::map<std::string, std::string> pairs;
    while (!text.empty()) {
      auto const line = text.substr(0, text.find('\n'));
      auto const equals = line.find('=');
      if (equals != line.npos) pairs.emplace(line.substr(0, equals), line.substr(equals + 1));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    store_all(config::read_environment(pairs, findings));
    store_all(config::read_flags(pairs, findings));
  }
  check(findings);
  return 0;
}
