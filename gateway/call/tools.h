#pragma once
#include <string>
#include <string_view>

#include "crm/model/voice_agent.h"
#include "gateway/base/result.h"

namespace gateway {

/// Tool names as the agent's configuration spells them.
inline constexpr std::string_view tool_end_call = "end_call";
inline constexpr std::string_view tool_transfer = "transfer_to_number";

/// The number a transfer asks for: parameter "transfer_number" or "number", else the agent's only allowed number.
/// Fault::protocol when the parameters make no sense, Fault::refused when the number is not among those the agent's
/// owner has allowed: the words of a model, steered by a caller, never choose whom we pay to dial.
base::Result<std::string> transfer_target(std::string_view parameters_json, crm::VoiceAgent const& agent);

/// A tool result for the agent: {"ok":true,...} or {"ok":false,"reason":"…","say":"…"}.
std::string tool_success(std::string_view message);
std::string tool_failure(std::string_view reason, std::string_view hint);

/// Why a transfer did not come about, in one word that an agent's prompt can rely on.
std::string_view transfer_failure_reason(base::Fault fault);

}  // namespace gateway
