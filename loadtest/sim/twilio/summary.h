#pragma once
#include <string>

namespace sim::twilio {

/// A few lines for a person from the JSON of a CallResult: the ending, the delays and the counts.
std::string summary_of(std::string const& result_json);

/// The member "clean" of that JSON.
bool is_clean(std::string const& result_json);

}  // namespace sim::twilio
