#pragma once
// One place settings come from, read into texts that still have to be checked.
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/finding.h"
#include "config/table.h"

namespace config {

/// A value as it was found.
struct Given {
  base::Secret text;
  std::string key;          ///< As the operator wrote it.
  std::string place;        ///< "environment", ".env line 3", "switchboard.toml line 7", "command line".
  bool names_file = false;  ///< `text` is the path of a file that holds the secret.
};

/// By the setting's name. Empty texts are kept: they bring back the default.
using Layer = std::map<std::string_view, Given>;

/// Adds `given` unless the layer already holds a value for the setting, which is a finding (an empty one yields).
void add(Layer& layer, Setting const& setting, Given given, std::vector<Finding>& findings);

/// Names that are not in the table are ignored, unless they begin with SWITCHBOARD_.
Layer read_environment(std::map<std::string, std::string> const& environment, std::vector<Finding>& findings);

/// Keys are flags without the leading dashes.
Layer read_flags(std::map<std::string, std::string> const& flags, std::vector<Finding>& findings);

/// `text` is the content of .env, `file` its name in findings.
Layer read_dotenv_layer(std::string_view text, std::string const& file, std::vector<Finding>& findings);

/// `text` is the content of switchboard.toml, `file` its name in findings.
Layer read_toml(std::string_view text, std::string const& file, std::vector<Finding>& findings);

}  // namespace config
