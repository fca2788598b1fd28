#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ids.h"

namespace crm {

/// What a caller gets when the agent cannot be reached.
enum class FallbackKind { forward, voicemail, apology };

/// An AI receptionist: which conversational agent speaks, and how its calls are treated.
struct VoiceAgent {
  base::AgentId id;
  base::TenantId tenant;
  std::string name;
  std::string elevenlabs_agent_id;
  bool active = true;
  std::chrono::seconds start_pause{0};  ///< Silence before the agent speaks, 0 to 10 s.
  bool record = false;
  FallbackKind fallback = FallbackKind::apology;
  std::optional<std::string> fallback_number;  ///< E.164; present when `fallback` is forward.
  std::optional<std::string> first_message;    ///< Replaces what the agent's own configuration says first.
  std::optional<std::string> language;         ///< ISO 639-1; replaces the agent's own language.
  std::chrono::seconds max_duration{3600};
  std::vector<std::string>
      transfer_numbers;  ///< E.164; the only people the agent may hand a caller to, besides fallback_number.
  std::map<std::string, std::string> dynamic_variables;  ///< Handed to the agent at the start of each conversation.
};

constexpr std::string_view to_string(FallbackKind kind) {
  switch (kind) {
    case FallbackKind::forward:
      return "forward";
    case FallbackKind::voicemail:
      return "voicemail";
    case FallbackKind::apology:
      return "apology";
  }
  return "apology";
}

constexpr std::optional<FallbackKind> fallback_kind_from(std::string_view text) {
  for (auto const kind : {FallbackKind::forward, FallbackKind::voicemail, FallbackKind::apology}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

}  // namespace crm
