#pragma once
#include <string>

namespace sim::twilio {

/// Something Twilio would have put into the account's debugger. `code` is Twilio's error number.
struct Violation {
  int code = 0;
  std::string what;
};

}  // namespace sim::twilio
