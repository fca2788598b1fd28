#pragma once
// What an agent may ask for while it talks, in one table: what the model is told about each tool, what is accepted from
// it, and how long it takes at most.
#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace gateway {

/// How a parameter is written. Everything but yes_no is text.
enum class ToolValue {
  words,
  day,     ///< "2026-03-31"
  moment,  ///< "2026-03-31T14:30:00", with or without an offset
  day_or_moment,
  phone,        ///< digits, with or without a leading '+'
  email,        ///< lower case
  yes_no,       ///< true or false
  name_of_row,  ///< one of our ids
};

struct ToolParameter {
  std::string_view name;
  ToolValue value = ToolValue::words;
  bool required = false;
  std::size_t longest = 0;  ///< Characters.
  std::string_view description;
};

struct Tool {
  std::string_view name;
  std::string_view description;  ///< For the model.
  std::span<ToolParameter const> parameters;
  std::chrono::milliseconds deadline{2500};   ///< Then the agent is told that it did not work.
  std::chrono::seconds response_timeout{20};  ///< How long the agent waits in silence; more than the deadline.
  bool expects_response = true;
};

std::span<Tool const> tools();
/// Null when there is no such tool.
Tool const* find_tool(std::string_view name);

/// The parameters as the desk takes them: a JSON object of those the tool knows, each trimmed, within its length and in
/// its one spelling; what is empty, null or unknown is left out. Fault::protocol, with a sentence that an agent can act
/// on and that repeats nothing of what it sent, when something is missing or cannot be understood. Any bytes may come.
base::Result<std::string> check_parameters(Tool const& tool, std::string_view parameters_json);

/// All tools as ElevenLabs' client tools: a JSON array, each element the body of a POST /v1/convai/tools.
std::string tool_definitions_json();

}  // namespace gateway
