#include "gateway/net/egress_policy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace {

using net::EgressPolicy;

std::string purpose(std::string_view text) {
  auto const address = net::parse_ip(text);
  EXPECT_TRUE(address) << text;
  return std::string{net::special_purpose_of(address.value()).value_or("public")};
}

TEST(SpecialPurpose, is_known_of_every_registered_block_and_ends_where_the_block_ends) {
  std::pair<char const*, char const*> const cases[] = {
      {"0.0.0.0", "this network"},
      {"0.255.255.255", "this network"},
      {"1.0.0.0", "public"},
      {"1.1.1.1", "public"},
      {"9.255.255.255", "public"},
      {"10.0.0.0", "private use"},
      {"10.255.255.255", "private use"},
      {"11.0.0.0", "public"},
      {"100.63.255.255", "public"},
      {"100.64.0.0", "shared address space"},
      {"100.127.255.255", "shared address space"},
      {"100.128.0.0", "public"},
      {"126.255.255.255", "public"},
      {"127.0.0.1", "loopback"},
      {"127.255.255.255", "loopback"},
      {"128.0.0.0", "public"},
      {"169.253.255.255", "public"},
      {"169.254.169.254", "link local"},
      {"169.255.0.0", "public"},
      {"172.15.255.255", "public"},
      {"172.16.0.0", "private use"},
      {"172.31.255.255", "private use"},
      {"172.32.0.0", "public"},
      {"192.0.0.8", "protocol assignments"},
      {"192.0.0.170", "protocol assignments"},
      {"192.0.1.0", "public"},
      {"192.0.2.1", "documentation"},
      {"192.31.196.1", "AS112"},
      {"192.52.193.1", "AMT"},
      {"192.88.99.1", "6to4 relay"},
      {"192.168.0.1", "private use"},
      {"192.169.0.0", "public"},
      {"192.175.48.1", "AS112"},
      {"198.17.255.255", "public"},
      {"198.18.0.0", "benchmarking"},
      {"198.19.255.255", "benchmarking"},
      {"198.20.0.0", "public"},
      {"198.51.100.1", "documentation"},
      {"203.0.113.1", "documentation"},
      {"223.255.255.255", "public"},
      {"224.0.0.1", "multicast"},
      {"239.255.255.255", "multicast"},
      {"240.0.0.0", "reserved"},
      {"255.255.255.255", "reserved"},
      {"::", "unspecified"},
      {"::1", "loopback"},
      {"::7f00:1", "not global unicast"},
      {"::ffff:127.0.0.1", "loopback"},
      {"::ffff:10.1.2.3", "private use"},
      {"::ffff:8.8.8.8", "public"},
      {"::ffff:0:127.0.0.1", "not global unicast"},
      {"64:ff9b::127.0.0.1", "loopback"},
      {"64:ff9b::a9fe:a9fe", "link local"},
      {"64:ff9b::8.8.8.8", "public"},
      {"64:ff9b:1::8.8.8.8", "local NAT64"},
      {"64:ff9b:2::8.8.8.8", "not global unicast"},
      {"100::1", "discard only"},
      {"1fff:ffff::", "not global unicast"},
      {"2001::1", "Teredo"},
      {"2001:0:7f00:1::", "Teredo"},
      {"2001:1::1", "protocol assignments"},
      {"2001:2::1", "protocol assignments"},
      {"2001:20::1", "protocol assignments"},
      {"2001:1ff:ffff::", "protocol assignments"},
      {"2001:200::1", "public"},
      {"2001:4860:4860::8888", "public"},
      {"2001:db8::1", "documentation"},
      {"2002:7f00:1::1", "6to4"},
      {"2002:808:808::1", "6to4"},
      {"2003::1", "public"},
      {"2606:4700:4700::1111", "public"},
      {"2620:4f:8000::1", "AS112"},
      {"3ffe:ffff::1", "public"},
      {"3fff::1", "documentation"},
      {"3fff:fff:ffff::", "documentation"},
      {"3fff:1000::", "public"},
      {"4000::1", "not global unicast"},
      {"5f00::1", "segment routing"},
      {"fbff::1", "not global unicast"},
      {"fc00::1", "unique local"},
      {"fd00:ec2::254", "unique local"},
      {"fe80::1", "link local"},
      {"febf::1", "link local"},
      {"fec0::1", "not global unicast"},
      {"ff02::1", "multicast"},
  };
  for (auto const& [address, expected] : cases) EXPECT_EQ(purpose(address), expected) << address;
}

TEST(IpAddress, is_read_from_its_plain_forms_only) {
  EXPECT_EQ(net::parse_ip("192.0.2.1"), net::parse_ip("::ffff:192.0.2.1"));
  EXPECT_TRUE(net::parse_ip("192.0.2.1")->is_v4());
  EXPECT_FALSE(net::parse_ip("::1")->is_v4());
  for (std::string_view const text :
       {std::string_view{""}, std::string_view{"127.1"}, std::string_view{"0x7f.0.0.1"}, std::string_view{"2130706433"},
        std::string_view{"[::1]"}, std::string_view{"fe80::1%eth0"}, std::string_view{"127.0.0.1\0", 10}})
    EXPECT_FALSE(net::parse_ip(text)) << text;
}

TEST(IpRange, holds_what_shares_its_prefix) {
  auto const holds = [](char const* range, char const* address) {
    return net::parse_range(range).value().holds(net::parse_ip(address).value());
  };
  EXPECT_TRUE(holds("10.1.0.0/16", "10.1.255.255"));
  EXPECT_FALSE(holds("10.1.0.0/16", "10.2.0.0"));
  EXPECT_TRUE(holds("10.64.0.0/10", "10.127.0.1"));
  EXPECT_FALSE(holds("10.64.0.0/10", "10.128.0.1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(holds("0.0.0.0/0", "::1"));
  EXPECT_TRUE(holds("::/0", "10.0.0.1"));
  EXPECT_TRUE(holds("fd00::/8", "fdff::1"));
  EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("192.0.2.7", "192.0.2.6"));
  for (auto const* text : {"10.0.0.1/8", "10.0.0.0/33", "::1/64", "::/129", "10/8", "x", "", "10.0.0.0/8/8"})
    EXPECT_FALSE(net::parse_range(text)) << text;
}

bool allows(EgressPolicy const& policy, std::string const& text, std::uint16_t port, bool secure = true) {
  sockaddr_storage storage{};
  if (text.contains(':')) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr), 1);
    std::memcpy(&storage, &six, sizeof six);
    return policy.allows(reinterpret_cast<sockaddr*>(&storage), sizeof six, secure);
  }
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &four.sin_addr), 1);
  std::memcpy(&storage, &four, sizeof four);
  return policy.allows(reinterpret_cast<sockaddr*>(&storage), sizeof four, secure);
}

TEST(Egress, goes_to_public_addresses_over_https_at_443_by_itself) {
  EgressPolicy const policy;
  EXPECT_TRUE(allows(policy, "8.8.8.8", 443));
  EXPECT_TRUE(allows(policy, "2606:4700:4700::1111", 443));
  EXPECT_TRUE(allows(policy, "::ffff:8.8.8.8", 443));
  EXPECT_FALSE(allows(policy, "8.8.8.8", 443, /*secure=*/false));
  EXPECT_FALSE(allows(policy, "8.8.8.8", 80));
  EXPECT_FALSE(allows(policy, "8.8.8.8", 8443));
  for (auto const* inside : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254",
                             "64:ff9b::10.0.0.1", "2002:a00:1::1", "fd00:ec2::254", "0.0.0.0"})
    EXPECT_FALSE(allows(policy, inside, 443)) << inside;
}

TEST(Egress, goes_where_the_operator_allows_it) {
  auto const policy = EgressPolicy::make("10.1.0.0/16, fd00::/8", "8443, 3000").value();
  for (auto const* inside : {"10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00::1"}) {
    EXPECT_TRUE(allows(policy, inside, 443)) << inside;
    EXPECT_TRUE(allows(policy, inside, 3000, /*secure=*/false)) << inside;
    EXPECT_FALSE(allows(policy, inside, 22)) << inside;
  }
  EXPECT_FALSE(allows(policy, "10.2.0.1", 443));
  EXPECT_TRUE(allows(policy, "8.8.8.8", 8443));
  EXPECT_FALSE(allows(policy, "8.8.8.8", 3000, /*secure=*/false));
}

TEST(Egress, knows_no_other_kind_of_socket) {
  auto const policy = EgressPolicy::make("0.0.0.0/0, ::/0", "").value();
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(policy.allows(reinterpret_cast<sockaddr*>(&local), sizeof local, true));
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(443);
  EXPECT_FALSE(policy.allows(reinterpret_cast<sockaddr*>(&four), sizeof four - 1, true));
}

TEST(Egress, says_what_it_cannot_read) {
  EXPECT_EQ(EgressPolicy::make("10.0.0.0/8, tenant", "").error().detail, "'tenant' is no address range");
  EXPECT_EQ(EgressPolicy::make("", "443,0").error().detail, "'0' is no port");
  EXPECT_TRUE(EgressPolicy::make("", ""));
}

}  // namespace
