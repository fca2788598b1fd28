#pragma once
#include <string_view>

namespace config {

/// IPv4 or IPv6 ranges with commas between them, spaces around ignored: "10.1.0.0/16, fd00::/8, 192.0.2.7". Bits behind
/// the prefix are zero.
bool is_network_list(std::string_view text);

/// Ports from 1 to 65535 with commas between them.
bool is_port_list(std::string_view text);

}  // namespace config
