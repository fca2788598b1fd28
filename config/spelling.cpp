#include "config/spelling.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace config {
namespace {

constexpr std::size_t longest_name = 80;  // what is longer resembles nothing, and costs time to compare

char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Levenshtein's distance, one row at a time, capitals ignored. Both are near longest_name at most.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, 2 * longest_name> row{};
  std::iota(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(b.size()) + 1, 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const replaced = diagonal + (lowered(a[i - 1]) == lowered(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view unknown, std::vector<Spelling> const& known) {
  if (unknown.size() > longest_name) return {};
  std::size_t best = std::max<std::size_t>(2, unknown.size() / 4) + 1;
  std::string answer;
  for (auto const& [written, meant] : known) {
    auto const longer = std::max(written.size(), unknown.size());
    auto const shorter = std::min(written.size(), unknown.size());
    if (longer - shorter >= best) continue;  // they differ by that many letters at least
    auto const differing = distance(unknown, written);
    if (differing >= best) continue;
    best = differing;
    answer = meant;
  }
  return answer;
}

}  // namespace config
