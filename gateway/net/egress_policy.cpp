#include "gateway/net/egress_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "gateway/base/text.h"

namespace net {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::array<std::uint8_t, 12> nat64_prefix{0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0};

struct Block {
  char const* range;
  char const* purpose;
};

/// IANA IPv4 Special-Purpose Address Registry (2024-10), with multicast. Those it calls globally reachable are refused
/// as well: nobody's CRM is there.
constexpr Block blocks_v4[] = {
    {"0.0.0.0/8", "this network"},
    {"10.0.0.0/8", "private use"},
    {"100.64.0.0/10", "shared address space"},
    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link local"},
    {"172.16.0.0/12", "private use"},
    {"192.0.0.0/24", "protocol assignments"},
    {"192.0.2.0/24", "documentation"},
    {"192.31.196.0/24", "AS112"},
    {"192.52.193.0/24", "AMT"},
    {"192.88.99.0/24", "6to4 relay"},
    {"192.168.0.0/16", "private use"},
    {"192.175.48.0/24", "AS112"},
    {"198.18.0.0/15", "benchmarking"},
    {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
};

/// IANA IPv6 Special-Purpose Address Registry (2024-10), within 2000::/3. What is outside of that is never global
/// unicast; its parts have names of their own for the log.
constexpr Block blocks_v6[] = {
    {"::1/128", "loopback"},
    {"::/128", "unspecified"},
    {"64:ff9b:1::/48", "local NAT64"},
    {"100::/64", "discard only"},
    {"2001::/32", "Teredo"},
    {"2001:db8::/32", "documentation"},
    {"2001::/23", "protocol assignments"},
    {"2002::/16", "6to4"},
    {"2620:4f:8000::/48", "AS112"},
    {"3fff::/20", "documentation"},
    {"5f00::/16", "segment routing"},
    {"fc00::/7", "unique local"},
    {"fe80::/10", "link local"},
    {"ff00::/8", "multicast"},
};

struct NamedRange {
  IpRange range;
  std::string_view purpose;
};

template <std::size_t N>
std::vector<NamedRange> ranges_of(Block const (&blocks)[N]) {
  std::vector<NamedRange> ranges;
  for (auto const& block : blocks) ranges.push_back({parse_range(block.range).value(), block.purpose});
  return ranges;
}

std::optional<std::string_view> purpose_in(std::vector<NamedRange> const& ranges, IpAddress const& address) {
  auto const found = std::ranges::find_if(ranges, [&](NamedRange const& one) { return one.range.holds(address); });
  if (found == ranges.end()) return std::nullopt;
  return found->purpose;
}

bool begins_with(IpAddress const& address, std::array<std::uint8_t, 12> const& prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.bytes.begin());
}

IpAddress mapped(std::uint8_t const* four) {
  IpAddress address;
  std::ranges::copy(mapped_prefix, address.bytes.begin());
  std::copy_n(four, 4, address.bytes.begin() + 12);
  return address;
}

/// The address that counts: of NAT64's the IPv4 address behind it.
IpAddress behind_nat64(IpAddress const& address) {
  return begins_with(address, nat64_prefix) ? mapped(address.bytes.data() + 12) : address;
}

struct Target {
  IpAddress address;
  std::uint16_t port = 0;
};

/// Copied: what libcurl or a resolver hands over need not be aligned.
std::optional<Target> target_of(sockaddr const* address, socklen_t size) {
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in four{};
    std::memcpy(&four, address, sizeof four);
    return Target{mapped(reinterpret_cast<std::uint8_t const*>(&four.sin_addr)), ntohs(four.sin_port)};
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 six{};
    std::memcpy(&six, address, sizeof six);
    Target target{{}, ntohs(six.sin6_port)};
    std::copy_n(six.sin6_addr.s6_addr, 16, target.address.bytes.begin());
    return target;
  }
  return std::nullopt;
}

/// Calls `take` for each part between commas until it refuses one, which is returned.
template <class Take>
std::optional<std::string_view> first_refused(std::string_view list, Take take) {
  while (!list.empty()) {
    auto const comma = list.find(',');
    auto const part = base::trimmed(list.substr(0, comma), " ");
    if (!take(part)) return part;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return std::nullopt;
}

template <class Number>
bool read_whole(std::string_view text, Number& into) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

bool IpAddress::is_v4() const {
  return begins_with(*this, mapped_prefix);
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  std::string const terminated{text};
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  std::array<std::uint8_t, 4> four{};
  if (::inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return mapped(four.data());
  IpAddress six;
  if (::inet_pton(AF_INET6, terminated.c_str(), six.bytes.data()) == 1) return six;
  return std::nullopt;
}

bool IpRange::holds(IpAddress const& address) const {
  auto const whole = prefix / 8;
  if (!std::equal(first.bytes.begin(), first.bytes.begin() + whole, address.bytes.begin())) return false;
  auto const rest = prefix % 8;
  return rest == 0 || (first.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0;
}

std::optional<IpRange> parse_range(std::string_view text) {
  auto const slash = text.find('/');
  auto const address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpRange range{*address, 128};
  if (slash == std::string_view::npos) return range;
  bool const written_as_v4 = !text.contains(':');
  unsigned bits = 0;
  if (!read_whole(text.substr(slash + 1), bits) || bits > (written_as_v4 ? 32U : 128U)) return std::nullopt;
  range.prefix = written_as_v4 ? bits + 96 : bits;
  for (unsigned bit = range.prefix; bit < 128; ++bit)
    if ((address->bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) return std::nullopt;
  return range;
}

std::optional<std::string_view> special_purpose_of(IpAddress const& given) {
  static auto const v4 = ranges_of(blocks_v4);
  static auto const v6 = ranges_of(blocks_v6);
  auto const address = behind_nat64(given);
  if (address.is_v4()) return purpose_in(v4, address);
  if (auto const purpose = purpose_in(v6, address)) return purpose;
  bool const is_global_unicast = (address.bytes[0] & 0xE0U) == 0x20U;  // 2000::/3
  if (!is_global_unicast) return "not global unicast";
  return std::nullopt;
}

base::Result<EgressPolicy> EgressPolicy::make(std::string_view allow, std::string_view ports) {
  EgressPolicy policy;
  auto refused = first_refused(allow, [&](std::string_view part) {
    auto const range = parse_range(part);
    if (range) policy.allowed_.push_back(*range);
    return range.has_value();
  });
  if (refused) return base::fail(base::Fault::refused, "'" + std::string{*refused} + "' is no address range");
  refused = first_refused(ports, [&](std::string_view part) {
    std::uint16_t port = 0;
    bool const is_port = read_whole(part, port) && port > 0;
    if (is_port) policy.ports_.push_back(port);
    return is_port;
  });
  if (refused) return base::fail(base::Fault::refused, "'" + std::string{*refused} + "' is no port");
  return policy;
}

bool EgressPolicy::allows(sockaddr const* address, socklen_t size, bool secure) const {
  auto const target = target_of(address, size);
  if (!target || std::ranges::find(ports_, target->port) == ports_.end()) return false;
  auto const listed = std::ranges::any_of(allowed_, [&](IpRange const& range) {
    return range.holds(target->address) || range.holds(behind_nat64(target->address));
  });
  return listed || (secure && !special_purpose_of(target->address));
}

}  // namespace net
