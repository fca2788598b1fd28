#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace config {

/// One thing that is wrong with the settings, in words for the operator. Never holds the value of a secret.
struct Finding {
  std::string key;  ///< As the operator wrote it: "PORT", "http.port", "--port", ".env line 3".
  std::string problem;
  std::string fix;

  /// "KEY: problem; fix", one line whatever the input held.
  std::string line() const;
};

/// Start-up is refused; what() is every finding on a line of its own.
class Invalid : public std::runtime_error {
 public:
  explicit Invalid(std::vector<Finding> findings);
  std::vector<Finding> const& findings() const { return findings_; }
  std::vector<std::string> lines() const;

 private:
  std::vector<Finding> findings_;
};

/// `text` in double quotes for a message: control and non-ASCII bytes escaped, cut after 60 bytes.
std::string cited(std::string_view text);

/// As cited(), without the quotes and cut after 200 bytes.
std::string printable(std::string_view text);

}  // namespace config
