#include "gateway/commands/listing.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/commands/command.h"

namespace gateway {
namespace {

void print_line(std::ostream& out, std::vector<std::string> const& cells, std::vector<std::size_t> const& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 < cells.size()) line.append(widths[i] - base::characters_in(cells[i]) + 2, ' ');
  }
  out << line << '\n';
}

}  // namespace

void Listing::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (auto const& title : titles_) widths.push_back(base::characters_in(title));
  for (auto const& line : lines_) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], base::characters_in(line[i]));
  }
  print_line(out, titles_, widths);
  for (auto const& line : lines_) print_line(out, line, widths);
}

void print_list(CommandContext const& context, bool as_json, std::string const& json, Listing const& listing) {
  if (as_json)
    *context.out << json << '\n';
  else
    listing.print(*context.out);
}

std::string printable(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const byte = static_cast<unsigned char>(text[i]);
    // C0, DEL, and C1 (U+0080 to U+009F, two bytes in UTF-8) are what terminals obey.
    bool const c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    if (byte < 0x20 || byte == 0x7F || c1)
      clean += ' ';
    else
      clean += text[i];
  }
  return clean;
}

}  // namespace gateway
