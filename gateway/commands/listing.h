#pragma once
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

struct CommandContext;

/// Lines of text in aligned columns.
class Listing {
 public:
  explicit Listing(std::vector<std::string> titles) : titles_{std::move(titles)} {}
  void add(std::vector<std::string> cells) { lines_.push_back(std::move(cells)); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> lines_;
};

/// What a list command has found: the JSON text with --json, else the columns.
void print_list(CommandContext const& context, bool as_json, std::string const& json, Listing const& listing);

/// The text without control characters: what a caller or an agent said must not steer a terminal.
std::string printable(std::string_view text);

}  // namespace gateway
