#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "config/table.h"

namespace config {

/// Why a text does not fit a setting. Holds the text only when the setting is not a secret.
struct Refusal {
  std::string problem;
  std::string fix;
};

/// Reads `text` as the setting's kind and stores it in its field of `into`, untouched on a refusal.
std::expected<void, Refusal> store(Setting const& setting, std::string_view text, Settings& into);

/// The field's value as an operator would write it; "***" for a secret that is set.
std::string shown(Setting const& setting, Settings const& settings);

/// "200ms", "8s", "5m", "1h"; whole numbers only, nothing else around them.
std::optional<std::chrono::milliseconds> read_duration(std::string_view text);

/// The longest unit that divides it: 90 s is "90s", 120 s is "2m".
std::string write_duration(std::chrono::milliseconds duration);

std::string_view to_string(base::LogLevel level);

}  // namespace config
