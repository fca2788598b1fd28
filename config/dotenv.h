#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/secret.h"

namespace config {

struct DotenvEntry {
  std::string key;
  base::Secret value;
  int line;  ///< From 1.
};

struct DotenvFault {
  int line;
  std::string problem;  ///< Without the value, which may be a secret.
};

struct Dotenv {
  std::vector<DotenvEntry> entries;
  std::vector<DotenvFault> faults;
};

/// Reads NAME=value lines: # comments, blank lines, an export prefix, CRLF, a byte order mark. 'single quotes' keep
/// everything; "double quotes" know \n \r \t \" \\ and \$; without quotes, " #" begins a comment. $ is an ordinary
/// character: nothing is expanded. A line that cannot be read is a fault and reading goes on with the next.
Dotenv read_dotenv(std::string_view text);

}  // namespace config
