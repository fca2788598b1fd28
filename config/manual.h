#pragma once
// What people read about the settings, written from the table so that it cannot disagree with it.
#include <string>
#include <vector>

#include "config/table.h"

namespace config {

/// One flag of a command line that takes settings: {"port", "<port>", "Public listener … [PORT, http.port; default
/// 3000]"}.
struct FlagDoc {
  std::string flag;   ///< Without leading dashes; "…-file" for a secret.
  std::string value;  ///< "<port>", "<duration>", …
  std::string about;
};

/// Every flag, in the table's order, for the program's own command-line parser.
std::vector<FlagDoc> flag_docs();

/// The settings part of `switchboard serve --help`.
std::string help_text();

/// The text of config/switchboard.example.toml: every setting but the secrets, commented out, at its default.
std::string example_toml();

/// The text of config/env.example: every name; those that serve needs stand empty, the others are commented out.
std::string example_env();

}  // namespace config
