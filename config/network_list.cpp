#include "config/network_list.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include "gateway/base/text.h"

namespace config {
namespace {

template <class Is>
bool each_part(std::string_view list, Is is) {
  for (;;) {
    auto const comma = list.find(',');
    if (!is(base::trimmed(list.substr(0, comma), " "))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

bool read_whole(std::string_view text, unsigned& into) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

bool is_network(std::string_view text) {
  if (text.contains('\0')) return false;
  auto const slash = text.find('/');
  std::string const address{text.substr(0, slash)};
  std::array<std::uint8_t, 16> bytes{};
  bool const v4 = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  if (!v4 && ::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return false;
  unsigned const width = v4 ? 32 : 128;
  unsigned prefix = width;
  if (slash != std::string_view::npos && (!read_whole(text.substr(slash + 1), prefix) || prefix > width)) return false;
  for (unsigned bit = prefix; bit < width; ++bit)
    if ((bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) return false;
  return true;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  return read_whole(text, port) && port > 0 && port <= 65'535;
}

}  // namespace

bool is_network_list(std::string_view text) {
  return each_part(text, is_network);
}

bool is_port_list(std::string_view text) {
  return each_part(text, is_port);
}

}  // namespace config
