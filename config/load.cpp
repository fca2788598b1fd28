#include "config/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include "config/contradictions.h"
#include "config/file_text.h"
#include "config/layer.h"
#include "config/value.h"

namespace config {
namespace {

using Findings = std::vector<Finding>;

struct Reading {
  Layer merged;
  Findings faults;
  Findings warnings;

  void lay_over(Layer layer) {
    for (auto& [name, given] : layer) merged.insert_or_assign(name, std::move(given));
  }
};

bool holds_secret(Layer const& layer) {
  for (auto const& [name, given] : layer)
    if (is_secret(*find_by_name(name)) && !given.names_file && !given.text.empty()) return true;
  return false;
}

void read_toml_file(Sources const& sources, Reading& reading) {
  if (sources.toml.empty()) return;
  auto const name = printable(sources.toml.string());
  auto const content = read_file(sources.toml);
  if (content) return reading.lay_over(read_toml(content->text.reveal(), name, reading.faults));
  bool const is_absent = content.error().fault == base::Fault::not_found;
  if (is_absent && !sources.toml_must_exist) return;
  reading.faults.push_back({name, content.error().detail, "name a readable file with --config, or leave the flag out"});
}

void read_dotenv_file(Sources const& sources, Reading& reading) {
  if (sources.dotenv.empty()) return;
  auto const name = printable(sources.dotenv.string());
  auto const content = read_file(sources.dotenv);
  if (!content) {
    if (content.error().fault == base::Fault::not_found) return;
    reading.faults.push_back({name, content.error().detail, "make it a file this user can read, or remove it"});
    return;
  }
  auto layer = read_dotenv_layer(content->text.reveal(), name, reading.faults);
  if (content->everyone_may_read && holds_secret(layer)) {
    reading.warnings.push_back({name, "holds secrets and can be read by every user", "chmod 600 " + name});
  }
  reading.lay_over(std::move(layer));
}

/// Stores one given value; a finding when it cannot be read or does not fit.
void take(Setting const& setting, Given const& given, Settings& settings, Findings& faults) {
  if (given.text.empty()) return;
  auto text = given.text;
  if (given.names_file) {
    std::string const file{given.text.reveal()};
    auto content = read_secret_file(file);
    if (!content) {
      // The name is repeated only when it is one: people also put the secret itself here.
      bool const is_absent = content.error().fault == base::Fault::not_found;
      auto const what = is_absent ? "the named file" : cited(file);
      faults.push_back({given.key, fmt::format("{} {} ({})", what, content.error().detail, given.place),
                        "name a file with the secret alone in it, mode 0600"});
      return;
    }
    text = std::move(*content);
  }
  auto const stored = store(setting, text.reveal(), settings);
  if (!stored)
    faults.push_back({given.key, fmt::format("{} ({})", stored.error().problem, given.place), stored.error().fix});
}

bool is_given(Setting const& setting, Layer const& layer) {
  auto const given = layer.find(setting.name);
  return given != layer.end() && !given->second.text.empty();
}

void require(Setting const& setting, Findings& faults) {
  auto const fix = is_secret(setting) ? fmt::format("set {} or {}", setting.name, file_name_of(setting))
                                      : fmt::format("set it, or {} in switchboard.toml", setting.path);
  faults.push_back({std::string{setting.name}, "is missing", fix});
}

}  // namespace

Sources process_sources(Purpose purpose, std::map<std::string, std::string> flags,
                        std::optional<std::filesystem::path> const& config) {
  Sources sources{.purpose = purpose,
                  .flags = std::move(flags),
                  .environment = {},
                  .toml = config.value_or("switchboard.toml"),
                  .toml_must_exist = config.has_value(),
                  .dotenv = ".env"};
  for (char* const* entry = environ; *entry != nullptr; ++entry) {
    std::string_view const text{*entry};
    auto const equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return sources;
}

Outcome examine(Sources const& sources) {
  Reading reading;
  read_toml_file(sources, reading);
  read_dotenv_file(sources, reading);
  reading.lay_over(read_environment(sources.environment, reading.faults));
  reading.lay_over(read_flags(sources.flags, reading.faults));

  Outcome outcome;
  for (auto const& setting : table()) {
    auto const given = reading.merged.find(setting.name);
    if (given != reading.merged.end()) take(setting, given->second, outcome.settings, reading.faults);
    bool const is_required = setting.serve_needs_it && sources.purpose == Purpose::serve;
    if (is_required && !is_given(setting, reading.merged)) require(setting, reading.faults);
  }
  auto const& recordings = *find_by_name("SWITCHBOARD_RECORDING_DIRECTORY");
  if (!is_given(recordings, reading.merged))
    outcome.settings.recording.directory = outcome.settings.data_dir / "recordings";

  // A value that could not be read stands at its default, so comparing it with another would mislead.
  if (reading.faults.empty()) reading.faults = contradictions(outcome.settings);
  outcome.faults = std::move(reading.faults);
  outcome.warnings = std::move(reading.warnings);
  return outcome;
}

Settings load(Sources const& sources) {
  auto outcome = examine(sources);
  if (!outcome.faults.empty()) throw Invalid{std::move(outcome.faults)};
  return std::move(outcome.settings);
}

}  // namespace config
