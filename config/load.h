#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/finding.h"
#include "config/settings.h"

namespace config {

/// What the process is about to do decides what must be set.
enum class Purpose {
  tool,   ///< migrate, calls list and the like: nothing is required.
  serve,  ///< Also for doctor, which asks whether serve would start.
};

/// Where settings come from, later ones winning: defaults, switchboard.toml, .env, environment, flags.
struct Sources {
  Purpose purpose = Purpose::tool;
  std::map<std::string, std::string> flags;  ///< Without leading dashes: {"port", "8080"}.
  std::map<std::string, std::string> environment;
  std::filesystem::path toml;    ///< Empty: none.
  bool toml_must_exist = false;  ///< --config named it.
  std::filesystem::path dotenv;  ///< Empty: none. Need not exist.
};

/// The sources of this process: its environment, `config` or ./switchboard.toml, and ./.env.
Sources process_sources(Purpose purpose, std::map<std::string, std::string> flags,
                        std::optional<std::filesystem::path> const& config);

struct Outcome {
  Settings settings;            ///< What could be read; defaults elsewhere.
  std::vector<Finding> faults;  ///< Not empty: do not start.
  std::vector<Finding> warnings;
};

/// Reads everything and collects every fault instead of stopping at the first. Reads files; for start-up only.
Outcome examine(Sources const& sources);

/// Throws Invalid with all faults.
Settings load(Sources const& sources);

}  // namespace config
