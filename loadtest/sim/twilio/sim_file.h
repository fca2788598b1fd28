#pragma once
// What the commands need to know, from flags, environment and the small file that describes a running demo.
#include <chrono>
#include <string>

#include "gateway/base/secret.h"
#include "loadtest/sim/foreground.h"

namespace sim::twilio {

/// {"gateway":"http://127.0.0.1:3000","account_sid":"AC…","auth_token":"…","number":"+1…","control":"http://127.0.0.1:4010"}
struct SimFile {
  std::string gateway;
  std::string account_sid;
  base::Secret auth_token;
  std::string number;   ///< Of the gateway, which simulated callers dial.
  std::string control;  ///< Address of a running `switchboard-sim twilio`; empty: none.
};

/// `path` empty: $SWITCHBOARD_DATA_DIR/sim.json, or data/sim.json, which may be missing. Throws WrongUsage when a file
/// that was named is missing or any is not understood.
SimFile read_sim_file(std::string const& path);

/// Overrides with flags, then environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN).
void complete(SimFile& file, std::string const& account_sid, std::string const& auth_token_file);

/// "20s", "2.5s", "250ms", "1m". Throws WrongUsage.
std::chrono::milliseconds duration_of(std::string const& text);

}  // namespace sim::twilio
