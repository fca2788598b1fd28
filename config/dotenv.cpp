#include "config/dotenv.h"

#include <algorithm>
#include <expected>

#include "gateway/base/text.h"

namespace config {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  return base::trimmed(text, blanks);
}

bool is_name(std::string_view key) {
  auto const fits = [](char c) {
    return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !key.empty() && !(key.front() >= '0' && key.front() <= '9') && std::ranges::all_of(key, fits);
}

using Value = std::expected<base::Secret, std::string>;

Value unquoted(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const begins_comment = text[i] == '#' && (i == 0 || blanks.contains(text[i - 1]));
    if (begins_comment) return base::Secret{std::string{trimmed(text.substr(0, i))}};
  }
  return base::Secret{std::string{trimmed(text)}};
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

Value in_quotes(std::string_view text) {
  char const quote = text.front();
  std::string value;
  value.reserve(text.size());
  std::size_t at = 1;
  for (; at < text.size() && text[at] != quote; ++at) {
    bool const escapes = quote == '"' && text[at] == '\\' && at + 1 < text.size();
    if (escapes && std::string_view{"nrt\"\\$"}.contains(text[at + 1]))
      value += unescaped(text[++at]);
    else
      value += text[at];
  }
  base::Secret secret{std::move(value)};
  if (at >= text.size()) return std::unexpected{"the closing quote is missing"};
  auto const rest = trimmed(text.substr(at + 1));
  if (!rest.empty() && !rest.starts_with('#')) return std::unexpected{"there is more after the closing quote"};
  return secret;
}

Value read_value(std::string_view text) {
  bool const is_quoted = text.starts_with('"') || text.starts_with('\'');
  return is_quoted ? in_quotes(text) : unquoted(text);
}

std::string_view without_export(std::string_view line) {
  constexpr std::string_view word = "export";
  bool const exported = line.starts_with(word) && line.size() > word.size() && blanks.contains(line[word.size()]);
  return exported ? trimmed(line.substr(word.size())) : line;
}

void read_line(std::string_view line, int number, Dotenv& into) {
  line = without_export(trimmed(line));
  if (line.empty() || line.starts_with('#')) return;
  auto const refuse = [&](std::string problem) { into.faults.push_back({number, std::move(problem)}); };
  auto const equals = line.find('=');
  if (equals == std::string_view::npos) return refuse("there is no = in the line");
  auto const key = trimmed(line.substr(0, equals));
  if (!is_name(key)) return refuse("the part before = is not a name");
  if (line.contains('\0')) return refuse("the line holds a zero byte");
  bool const is_known = std::ranges::find(into.entries, key, &DotenvEntry::key) != into.entries.end();
  if (is_known) return refuse(std::string{key} + " is given a second time");
  auto value = read_value(trimmed(line.substr(equals + 1)));
  if (!value) return refuse(std::string{key} + ": " + value.error());
  into.entries.push_back({std::string{key}, std::move(*value), number});
}

}  // namespace

Dotenv read_dotenv(std::string_view text) {
  if (constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF"; text.starts_with(byte_order_mark))
    text.remove_prefix(3);
  Dotenv dotenv;
  for (int number = 1; !text.empty(); ++number) {
    auto const end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    read_line(line, number, dotenv);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return dotenv;
}

}  // namespace config
