#pragma once
// Where requests to addresses that a tenant has chosen may go. Decided on the address that is really connected to, so
// that neither a name, nor a redirect, nor an answer of DNS that changes in between leads into our own network.
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace net {

/// An IPv6 address; an IPv4 address in its mapped form, ::ffff:a.b.c.d.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool is_v4() const;
  bool operator==(IpAddress const&) const = default;
};

/// "192.0.2.1", "2001:db8::1"; nothing else, no brackets, no zone.
std::optional<IpAddress> parse_ip(std::string_view text);

struct IpRange {
  IpAddress first;
  unsigned prefix = 128;  ///< Leading bits that count, of 128.
  bool holds(IpAddress const& address) const;
};

/// "10.0.0.0/8", "fd00::/8", or one address. Bits beyond the prefix must be zero: else somebody meant something else.
std::optional<IpRange> parse_range(std::string_view text);

/// The name of the special purpose that an address serves, after IANA's registries of special-purpose addresses,
/// multicast and what is not global unicast included; nothing for an address of the public internet. Of an address that
/// carries an IPv4 address (mapped, NAT64) that address counts; 6to4 and Teredo are refused as such, since they tunnel
/// to wherever they like.
std::optional<std::string_view> special_purpose_of(IpAddress const& address);

class EgressPolicy {
 public:
  /// Public addresses, https, port 443.
  EgressPolicy() = default;
  /// `allow`: ranges with commas between, which may be reached whatever their purpose, over plain http as well;
  /// `ports`: further ports for every address. Both may be empty. Fault::refused names what cannot be read.
  static base::Result<EgressPolicy> make(std::string_view allow, std::string_view ports);

  /// May a request with (`secure`) or without TLS be sent to this socket address? Never anything but IPv4 and IPv6.
  bool allows(sockaddr const* address, socklen_t size, bool secure) const;

 private:
  std::vector<IpRange> allowed_;
  std::vector<std::uint16_t> ports_{443};
};

}  // namespace net
