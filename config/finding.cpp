#include "config/finding.h"

#include <fmt/format.h>

namespace config {
namespace {

std::string joined(std::vector<Finding> const& findings) {
  std::string text;
  for (auto const& finding : findings) {
    if (!text.empty()) text += '\n';
    text += finding.line();
  }
  return text;
}

std::string escaped(std::string_view text, std::size_t longest) {
  std::string out;
  for (char const c : text.substr(0, longest)) {
    if (c >= ' ' && c <= '~')
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  if (text.size() > longest) out += "...";
  return out;
}

}  // namespace

std::string Finding::line() const {
  return fmt::format("{}: {}; {}", key, problem, fix);
}

Invalid::Invalid(std::vector<Finding> findings)
    : std::runtime_error{joined(findings)}, findings_{std::move(findings)} {}

std::vector<std::string> Invalid::lines() const {
  std::vector<std::string> lines;
  lines.reserve(findings_.size());
  for (auto const& finding : findings_) lines.push_back(finding.line());
  return lines;
}

std::string printable(std::string_view text) {
  return escaped(text, 200);
}

std::string cited(std::string_view text) {
  return '"' + escaped(text, 60) + '"';
}

}  // namespace config
