#pragma once
// conversation_initiation_client_data: what a client may change about an agent, and what becomes of it when it may not.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/sim/elevenlabs/scenario.h"

namespace sim::elevenlabs {

/// Why the service ends the conversation right after the metadata.
struct Rejection {
  std::uint16_t code;  ///< Close code; 1008 for all of these.
  std::string error_type;
  std::string message;
};

struct Remark {
  std::string kind;
  std::string detail;
};

struct Initiation {
  std::map<std::string, std::string> variables;  ///< The client's over the agent's placeholders, as text.
  std::optional<std::string> first_message;
  std::optional<std::string> language;
  bool text_only = false;
  std::string user_id;
  std::optional<Rejection> rejection;
  std::vector<Remark> violations;  ///< Wrong, whether or not the service ends the conversation for it.
  std::vector<Remark> warnings;    ///< Tolerated, but not what the contract says.
};

Initiation read_initiation(std::string_view json, Agent const& agent);

/// Replaces each {{name}} that `variables` knows.
std::string fill_in(std::string text, std::map<std::string, std::string> const& variables);

}  // namespace sim::elevenlabs
