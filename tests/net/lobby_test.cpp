#include "gateway/net/lobby.h"

#include <gmock/gmock.h>

#include <list>

namespace {

using testing::ElementsAre;

class FullLobby : public testing::Test {
 protected:
  net::Lobby::Guest& comes(std::string name, std::string_view address) {
    return guests_.emplace_back(lobby_, address, [this, name] { shown_out_.push_back(name); });
  }
  double dropped(std::string const& of) {
    return metrics_.counter("switchboard_unproven_connections_dropped_total", "", {{"of", of}}).Value();
  }

  base::Metrics metrics_;
  net::Lobby lobby_{{.guests = 4, .guests_of_address = 2}, metrics_};
  std::vector<std::string> shown_out_;
  std::list<net::Lobby::Guest> guests_;
};

TEST_F(FullLobby, shows_out_the_oldest_for_a_newcomer) {
  comes("a", "10.0.0.1");
  comes("b", "10.0.0.2");
  comes("c", "10.0.0.3");
  comes("d", "10.0.0.4");
  EXPECT_THAT(shown_out_, ElementsAre());
  comes("e", "10.0.0.5");
  comes("f", "10.0.0.6");
  EXPECT_THAT(shown_out_, ElementsAre("a", "b"));
  EXPECT_EQ(lobby_.size(), 4U);
  EXPECT_EQ(dropped("all"), 2);
}

TEST_F(FullLobby, lets_an_address_with_many_displace_only_its_own) {
  comes("honest", "10.0.0.1");
  comes("a", "10.0.0.2");
  comes("b", "10.0.0.2");
  comes("c", "10.0.0.2");
  comes("d", "10.0.0.2");
  EXPECT_THAT(shown_out_, ElementsAre("a", "b"));
  EXPECT_EQ(dropped("address"), 2);
  EXPECT_EQ(dropped("all"), 0);
}

TEST_F(FullLobby, does_not_count_who_has_left) {
  auto& a = comes("a", "10.0.0.1");
  auto& b = comes("b", "10.0.0.1");
  a.leave();
  b.leave();
  b.leave();
  comes("c", "10.0.0.1");
  comes("d", "10.0.0.1");
  EXPECT_THAT(shown_out_, ElementsAre());
  EXPECT_EQ(lobby_.size(), 2U);
}

TEST_F(FullLobby, takes_who_comes_back_as_the_newest) {
  auto& a = comes("a", "10.0.0.1");
  comes("b", "10.0.0.1");
  a.leave();
  a.come_back();
  comes("c", "10.0.0.1");
  EXPECT_THAT(shown_out_, ElementsAre("b"));
}

TEST_F(FullLobby, takes_an_ipv6_network_as_one_address) {
  comes("a", "2001:db8:0:1::1");
  comes("b", "2001:db8:0:1:ffff::2");
  comes("c", "2001:db8:0:2::1");
  EXPECT_THAT(shown_out_, ElementsAre());
  comes("d", "2001:db8:0:1::3");
  EXPECT_THAT(shown_out_, ElementsAre("a"));
}

TEST_F(FullLobby, takes_an_ipv4_address_in_ipv6_clothes_as_the_same) {
  comes("a", "10.0.0.1");
  comes("b", "::ffff:10.0.0.1");
  comes("c", "10.0.0.1");
  EXPECT_THAT(shown_out_, ElementsAre("a"));
}

TEST_F(FullLobby, does_not_call_the_one_that_was_shown_out_again) {
  comes("a", "10.0.0.1");
  comes("b", "10.0.0.1");
  comes("c", "10.0.0.1");
  guests_.clear();
  EXPECT_THAT(shown_out_, ElementsAre("a"));
  EXPECT_EQ(lobby_.size(), 0U);
  EXPECT_EQ(metrics_.gauge("switchboard_unproven_connections", "").Value(), 0);
}

}  // namespace
