#pragma once
#include <string>
#include <vector>

#include "config/load.h"

namespace config {

enum class Status { ok, warn, fail };

/// The answer to one question about this installation. Probes that need the network (database, Twilio's and ElevenLabs'
/// credentials, the public address) are made elsewhere and handed in as values.
struct ProbeResult {
  std::string name;  ///< "Database"; a setting's name where it is about one.
  Status status;
  std::string detail;  ///< What was found. Never a secret.
  std::string fix;     ///< What to do; empty when ok.
};

struct Report {
  std::vector<ProbeResult> checks;

  /// The worst status of all checks; fail means that serve would not start or calls would fail.
  Status verdict() const;
};

/// Judges what examine() made of the sources (Purpose::serve), then appends `probes`. Pure.
Report diagnose(Outcome const& outcome, std::vector<ProbeResult> probes);

/// One line a check, its fix below it, a summary at the end.
std::string to_text(Report const& report);

/// {"status":"warn","checks":[{"name","status","detail","fix"}]}
std::string to_json(Report const& report);

}  // namespace config
