#include "gateway/twilio/ticket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace {

using namespace gateway::twilio;
using namespace std::chrono_literals;

base::TimeSource::Wall const noon = std::chrono::sys_days{std::chrono::January / 5 / 2026} + 12h;
base::Secret const key{"0123456789abcdef0123456789abcdef"};
base::Secret const other_key{"fedcba9876543210fedcba9876543210"};
TicketOffice const office{key};

TicketClaims claims() {
  return {.tenant = base::TenantId{"ten_01k0abcdefghjkmnpqrstvwxyz"},
          .call_sid = base::CallSid{"CA0123456789abcdef0123456789abcdef"},
          .node = "node-1",
          .nonce = "n1"};
}

base::Fault refusal(std::string_view ticket, base::TimeSource::Wall now = noon) {
  auto const read = office.verify(ticket, now);
  EXPECT_FALSE(read.has_value()) << ticket;
  return read ? base::Fault::unavailable : read.error().fault;
}

TEST(Ticket, brings_its_claims_back) {
  auto const read = office.verify(office.issue(claims(), noon), noon + 59s);
  ASSERT_TRUE(read.has_value());
  auto expected = claims();
  expected.expires = noon + 60s;
  EXPECT_EQ(*read, expected);
}

TEST(Ticket, looks_as_agreed_and_fits_a_stream_parameter) {
  auto issued = claims();
  issued.nonce.clear();
  auto const ticket = office.issue(issued, noon);
  EXPECT_TRUE(ticket.starts_with("v1."));
  EXPECT_EQ(std::ranges::count(ticket, '.'), 3);
  EXPECT_EQ(ticket.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
            std::string::npos);
  EXPECT_LE(ticket.size(), 350U);
}

TEST(Ticket, draws_a_fresh_nonce_when_none_is_given) {
  auto issued = claims();
  issued.nonce.clear();
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) nonces.insert(office.verify(office.issue(issued, noon), noon)->nonce);
  EXPECT_EQ(nonces.size(), 100U);
  EXPECT_GE(nonces.begin()->size(), 22U);
}

TEST(Ticket, expires_after_sixty_seconds_or_sooner_when_told) {
  auto const ticket = office.issue(claims(), noon);
  EXPECT_EQ(refusal(ticket, noon + 60s), base::Fault::timed_out);
  EXPECT_EQ(refusal(ticket, noon + 24h), base::Fault::timed_out);
  auto brief = claims();
  brief.expires = noon + 5s;
  EXPECT_TRUE(office.verify(office.issue(brief, noon), noon + 4s).has_value());
  EXPECT_EQ(refusal(office.issue(brief, noon), noon + 5s), base::Fault::timed_out);
  auto greedy = claims();
  greedy.expires = noon + 24h;
  EXPECT_EQ(office.verify(office.issue(greedy, noon), noon)->expires, noon + 60s);
}

TEST(Ticket, from_a_clock_far_ahead_is_refused) {
  auto const ticket = office.issue(claims(), noon + 1h);
  EXPECT_EQ(refusal(ticket), base::Fault::refused);
  EXPECT_TRUE(office.verify(office.issue(claims(), noon + 3s), noon).has_value());
}

TEST(Ticket, is_refused_after_any_flipped_bit_or_cut) {
  auto const ticket = office.issue(claims(), noon);
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto forged = ticket;
      forged[i] = static_cast<char>(forged[i] ^ (1 << bit));
      EXPECT_EQ(refusal(forged), base::Fault::refused);
    }
    EXPECT_EQ(refusal(std::string_view{ticket}.substr(0, i)), base::Fault::refused);
  }
  EXPECT_EQ(refusal(ticket + "A"), base::Fault::refused);
  EXPECT_EQ(refusal(ticket + "="), base::Fault::refused);
  EXPECT_EQ(refusal(ticket + "." + ticket), base::Fault::refused);
}

TEST(Ticket, of_another_key_is_refused_even_under_our_key_id) {
  auto const ticket = office.issue(claims(), noon);
  auto const foreign = TicketOffice{other_key}.issue(claims(), noon);
  EXPECT_EQ(refusal(foreign), base::Fault::refused);
  EXPECT_EQ(refusal(ticket.substr(0, 12) + foreign.substr(12)), base::Fault::refused);
}

TEST(Ticket, refuses_other_texts) {
  for (auto const& text :
       {std::string{}, std::string{"v1"}, std::string{"v1."}, std::string{"v1.."}, std::string{"v1..."},
        std::string{"v2.00000000.e30.AAAA"}, std::string(100000, '.'), std::string(499, 'A')}) {
    EXPECT_EQ(refusal(text), base::Fault::refused);
  }
}

TEST(Ticket, survives_a_change_of_keys) {
  auto const old_ticket = office.issue(claims(), noon);
  TicketOffice const renewed{other_key, {key}};
  EXPECT_TRUE(renewed.verify(old_ticket, noon).has_value());
  EXPECT_EQ(refusal(renewed.issue(claims(), noon)), base::Fault::refused);
  EXPECT_FALSE(TicketOffice{other_key}.verify(old_ticket, noon).has_value());
}

TEST(Ticket, carries_odd_texts_unharmed) {
  auto odd = claims();
  odd.node = "nöde \"1\"\n[2]";
  odd.tenant = base::TenantId{"a|b.c,d"};
  auto const read = office.verify(office.issue(odd, noon), noon);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->node, odd.node);
  EXPECT_EQ(read->tenant, odd.tenant);
}

TEST(TicketOffice, does_not_open_with_a_short_key) {
  EXPECT_THROW(TicketOffice{base::Secret{"fifteen bytes.."}}, std::invalid_argument);
  EXPECT_THROW((TicketOffice{key, {base::Secret{""}}}), std::invalid_argument);
}

}  // namespace
