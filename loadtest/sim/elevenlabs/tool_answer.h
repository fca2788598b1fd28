#pragma once
// What an agent can make of the answers of its tools: the next tool's parameters, and what it says.
#include <map>
#include <string>
#include <string_view>

namespace sim::elevenlabs {

using Variables = std::map<std::string, std::string>;

/// The answer as variables: tool_result is the whole text and, when it is a JSON object, each value in it has its path:
/// "find_slots.slots.0.start" is {"slots":[{"start":…}]} of the tool find_slots. Those of an earlier answer of the same
/// tool are gone.
void keep_answer(std::string_view tool, std::string const& result, Variables& variables);

/// The JSON object with each {{name}} in its texts replaced that `variables` knows.
std::string filled_parameters(std::string const& json, Variables const& variables);

}  // namespace sim::elevenlabs
