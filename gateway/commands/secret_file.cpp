#include "gateway/commands/secret_file.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "gateway/commands/command.h"

namespace gateway {
namespace {

constexpr std::size_t largest_secret = 16U << 10U;

}  // namespace

base::Secret read_secret(std::string const& path) {
  std::ifstream file{path};
  if (!file) throw CommandFailure{fmt::format("cannot read {}", path)};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (text.size() > largest_secret) throw CommandFailure{fmt::format("{} is too long for a secret", path)};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.empty()) throw CommandFailure{fmt::format("{} is empty", path)};
  return base::Secret{std::move(text)};
}

}  // namespace gateway
