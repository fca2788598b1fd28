#pragma once
#include <chrono>
#include <string>

#include "gateway/base/secret.h"

namespace gateway::elevenlabs {

/// One ElevenLabs account in one residency region; agents, keys and signed URLs belong to exactly one.
struct Settings {
  /// http:// makes the conversation socket ws://. Other regions: api.us, api.eu.residency, api.in.residency, ….
  std::string api_base_url = "https://api.elevenlabs.io";
  base::Secret api_key;             ///< Empty: the agent is public, and the socket is opened without asking.
  std::string origin;               ///< Sent as Origin when set; agents may have an allow-list of hosts.
  bool use_api_key_header = false;  ///< The key on the socket itself instead of a signed URL: saves one round trip,
                                    ///< works, but is not in the vendor's contract.
  /// From the start of one attempt to its metadata: signed URL, name lookup, TCP, TLS, upgrade, first message.
  std::chrono::milliseconds start_budget{5000};
  /// Before the one retry.
  std::chrono::milliseconds retry_pause{250};
  /// How long an announced error may take to become a close.
  std::chrono::milliseconds error_grace{2000};
  /// Nothing received, not even a WebSocket pong.
  std::chrono::milliseconds idle_timeout{20000};
};

}  // namespace gateway::elevenlabs
