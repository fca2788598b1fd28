#include "config/layer.h"

#include <fmt/format.h>

#include "config/dotenv.h"
#include "config/spelling.h"

namespace config {
namespace {

constexpr std::string_view file_suffix = "_FILE";

/// The setting a name of the environment stands for, and whether the name is its NAME_FILE form.
struct Named {
  Setting const* setting = nullptr;
  bool names_file = false;
};

Named find_named(std::string_view name) {
  if (auto const* setting = find_by_name(name)) return {setting, false};
  if (!name.ends_with(file_suffix)) return {};
  auto const* setting = find_by_name(name.substr(0, name.size() - file_suffix.size()));
  if (setting == nullptr || !is_secret(*setting)) return {};
  return {setting, true};
}

/// Switches of the test suite, which the programs it starts inherit.
bool belongs_to_tests(std::string_view name) {
  return name == "SWITCHBOARD_JS" || name.starts_with("SWITCHBOARD_TEST_");
}

std::vector<Spelling> const& spellings_of_names() {
  static auto const known = [] {
    std::vector<Spelling> spellings;
    for (auto const& setting : table()) {
      std::string const name{setting.name};
      spellings.push_back({name, name});
      spellings.push_back({std::string{setting.path}, name});
      if (is_secret(setting)) spellings.push_back({file_name_of(setting), file_name_of(setting)});
    }
    return spellings;
  }();
  return known;
}

std::vector<Spelling> const& spellings_of_flags() {
  static auto const known = [] {
    std::vector<Spelling> spellings;
    for (auto const& setting : table()) {
      auto const flag = flag_of(setting) + (is_secret(setting) ? "-file" : "");
      spellings.push_back({flag, "--" + flag});
      spellings.push_back({std::string{setting.path}, "--" + flag});
    }
    return spellings;
  }();
  return known;
}

Finding unknown_name(std::string key, std::string_view name, std::string_view place) {
  auto const meant = nearest(name, spellings_of_names());
  return {std::move(key), fmt::format("no setting has this name ({})", place),
          meant.empty() ? "remove it, or see switchboard serve --help" : "did you mean " + meant + "?"};
}

}  // namespace

void add(Layer& layer, Setting const& setting, Given given, std::vector<Finding>& findings) {
  auto const present = layer.find(setting.name);
  if (present == layer.end()) {
    layer.emplace(setting.name, std::move(given));
    return;
  }
  if (given.text.empty()) return;
  if (!present->second.text.empty()) {
    findings.push_back(
        {given.key, fmt::format("{} is given as well ({})", present->second.key, given.place), "keep one of them"});
  }
  present->second = std::move(given);
}

Layer read_environment(std::map<std::string, std::string> const& environment, std::vector<Finding>& findings) {
  Layer layer;
  for (auto const& [name, text] : environment) {
    auto const [setting, names_file] = find_named(name);
    if (setting != nullptr) {
      add(layer, *setting, {base::Secret{text}, name, "environment", names_file}, findings);
    } else if (name.starts_with("SWITCHBOARD_") && !belongs_to_tests(name)) {
      findings.push_back(unknown_name(printable(name), name, "environment"));
    }
  }
  return layer;
}

Layer read_flags(std::map<std::string, std::string> const& flags, std::vector<Finding>& findings) {
  Layer layer;
  constexpr std::string_view place = "command line";
  for (auto const& [flag, text] : flags) {
    auto const key = "--" + printable(flag);
    bool known = false;
    for (auto const& setting : table()) {
      auto const own = flag_of(setting);
      bool const names_file = is_secret(setting) && flag == own + "-file";
      if (flag != own && !names_file) continue;
      known = true;
      if (!is_secret(setting) || names_file) {
        add(layer, setting, {base::Secret{text}, key, std::string{place}, names_file}, findings);
      } else {
        findings.push_back({key, "a secret on the command line can be read by every user of the machine",
                            fmt::format("set {} or {}, or pass {}-file", setting.name, file_name_of(setting), key)});
      }
    }
    if (known) continue;
    auto const meant = nearest(flag, spellings_of_flags());
    findings.push_back({key, "there is no such flag",
                        meant.empty() ? "remove it, or see switchboard serve --help" : "did you mean " + meant + "?"});
  }
  return layer;
}

Layer read_dotenv_layer(std::string_view text, std::string const& file, std::vector<Finding>& findings) {
  Layer layer;
  auto const dotenv = read_dotenv(text);
  for (auto const& fault : dotenv.faults) {
    findings.push_back({fmt::format("{} line {}", file, fault.line), printable(fault.problem),
                        "write NAME=value, in quotes when the value holds spaces or #"});
  }
  for (auto const& entry : dotenv.entries) {
    auto place = fmt::format("{} line {}", file, entry.line);
    auto const [setting, names_file] = find_named(entry.key);
    if (setting == nullptr)
      findings.push_back(unknown_name(printable(entry.key), entry.key, place));
    else
      add(layer, *setting, {entry.value, entry.key, std::move(place), names_file}, findings);
  }
  return layer;
}

}  // namespace config
