#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "gateway/net/http_client.h"
#include "loadtest/sim/crm/hubspot_sim.h"
#include "tests/support/manual_time.h"

namespace sim::crm {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

struct Answer {
  unsigned status = 0;  ///< 0: the connection broke.
  net::Headers headers;
  std::string text;
  Json body;
};

/// The fake on a clock that stands still, and a client of it.
struct Scene {
  explicit Scene(HubSpotSim::Options options = {}) : sim{io.get_executor(), time, std::move(options)} { sim.listen(); }

  template <class Story>
  void play(Story story) {
    asio::co_spawn(io, sim.serve(), [](std::exception_ptr) {});
    asio::co_spawn(io, tell(story), [](std::exception_ptr crash) {
      if (crash) std::rethrow_exception(crash);
    });
    io.run();
  }
  base::Async<Answer> ask(std::string method, std::string path, Json body = {}, std::string token = "pat-na1-sim") {
    net::HttpCall call;
    call.method = std::move(method);
    call.url = sim.base_url() + path;
    call.headers.add("Authorization", "Bearer " + token);
    if (!body.is_null()) {
      call.headers.add("Content-Type", "application/json");
      call.body = body.dump();
    }
    auto response = co_await http.send(std::move(call));
    Answer answer;
    if (!response) co_return answer;
    answer.status = response->status;
    answer.headers = response->headers;
    answer.text = response->body;
    answer.body = Json::parse(response->body, nullptr, false);
    co_return answer;
  }

  asio::io_context io{1};
  test::ManualTime time;
  net::HttpClient http;
  HubSpotSim sim;

 private:
  template <class Story>
  base::Async<> tell(Story& story) {
    co_await story(*this);
    sim.stop();
    co_await sim.drain(0s);
  }
};

Json contact(std::string email) {
  return {{"properties", {{"email", std::move(email)}}}, {"associations", Json::array()}};
}
Json search_for(std::string value) {
  Json const filter{{"propertyName", "phone"}, {"operator", "EQ"}, {"value", std::move(value)}};
  return {{"filterGroups", Json::array({{{"filters", Json::array({filter})}}})}, {"limit", 10}, {"after", "0"}};
}

TEST(HubSpotSim, serves_both_families_of_paths_and_no_mixture) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    auto dated = co_await s.ask("POST", "/crm/objects/2026-09/contacts", contact("a@b.co"));
    EXPECT_EQ(dated.status, 201u);
    auto numbered = co_await s.ask("GET", "/crm/v3/objects/contacts/a%40b.co?idProperty=email");
    EXPECT_EQ(numbered.body["id"], dated.body["id"]);
    for (auto const* wrong :
         {"/crm/2026-09/objects/contacts", "/crm/objects/v3/contacts", "/crm/v4/objects/contacts"}) {
      auto mixed = co_await s.ask("GET", wrong);
      EXPECT_EQ(mixed.status, 404u) << wrong;
    }
  });
}

TEST(HubSpotSim, an_address_belongs_to_one_contact_whatever_its_case) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    auto first = co_await s.ask("POST", "/crm/v3/objects/contacts", contact("a@b.co"));
    auto second = co_await s.ask("POST", "/crm/v3/objects/contacts", contact("A@B.co"));
    EXPECT_EQ(second.status, 409u);
    EXPECT_EQ(second.body["message"], "Contact already exists. Existing ID: " + first.body["id"].get<std::string>());
  });
}

TEST(HubSpotSim, a_batch_with_one_conflict_is_207_on_v3_and_200_on_the_dated_path) {
  Scene scene;
  ASSERT_TRUE(
      scene.sim.store().add_property("contacts", {.name = "k", .group = "contactinformation", .is_unique = true}));
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.ask("POST", "/crm/v3/objects/contacts", contact("a@b.co"));
    Json const fine{{"idProperty", "k"}, {"id", "1"}, {"properties", {{"lastname", "X"}}}};
    Json const taken{{"idProperty", "k"}, {"id", "2"}, {"properties", {{"email", "a@b.co"}}}};
    Json const body{{"inputs", Json::array({fine, taken})}};
    auto numbered = co_await s.ask("POST", "/crm/v3/objects/contacts/batch/upsert", body);
    EXPECT_EQ(numbered.status, 207u);
    EXPECT_EQ(numbered.body["results"][0]["new"], true);
    auto dated = co_await s.ask("POST", "/crm/objects/2026-09/contacts/batch/upsert", body);
    EXPECT_EQ(dated.status, 200u);
    EXPECT_EQ(dated.body["numErrors"], 1);
    EXPECT_EQ(dated.body["results"][0]["new"], false);
  });
}

TEST(HubSpotSim, search_lags_and_key_look_ups_do_not) {
  Scene scene;
  scene.sim.store().index_lag = 10s;
  scene.play([](Scene& s) -> base::Async<> {
    Json const made{{"properties", {{"email", "a@b.co"}, {"phone", "+15551230000"}}}};
    co_await s.ask("POST", "/crm/v3/objects/contacts", made);
    auto early = co_await s.ask("POST", "/crm/v3/objects/contacts/search", search_for("+15551230000"));
    EXPECT_EQ(early.body["total"], 0);
    auto by_key = co_await s.ask("GET", "/crm/v3/objects/contacts/a%40b.co?idProperty=email");
    EXPECT_EQ(by_key.status, 200u);
    s.time.advance(10s);
    auto late = co_await s.ask("POST", "/crm/v3/objects/contacts/search", search_for("+15551230000"));
    EXPECT_EQ(late.body["total"], 1);
  });
}

TEST(HubSpotSim, limits_requests_by_window_and_searches_by_second) {
  HubSpotSim::Options options;
  options.burst = 8;
  Scene scene{options};
  scene.play([](Scene& s) -> base::Async<> {
    for (int i = 0; i < 5; ++i) {
      auto found = co_await s.ask("POST", "/crm/v3/objects/contacts/search", search_for("x"));
      EXPECT_EQ(found.status, 200u);
      EXPECT_FALSE(found.headers.has("X-HubSpot-RateLimit-Remaining"));
    }
    auto sixth = co_await s.ask("POST", "/crm/v3/objects/contacts/search", search_for("x"));
    EXPECT_EQ(sixth.status, 429u);
    EXPECT_EQ(sixth.body["policyName"], "SECONDLY");
    for (int left = 2; left >= 0; --left) {
      auto read = co_await s.ask("GET", "/crm/v3/objects/contacts");
      EXPECT_EQ(read.headers.find("X-HubSpot-RateLimit-Remaining"), std::to_string(left));
    }
    auto over = co_await s.ask("GET", "/crm/v3/objects/contacts");
    EXPECT_EQ(over.status, 429u);
    EXPECT_EQ(over.body["policyName"], "TEN_SECONDLY_ROLLING");
    EXPECT_EQ(over.body["errorType"], "RATE_LIMIT");
    EXPECT_FALSE(over.headers.has("Retry-After"));
    s.time.advance(11s);
    auto later = co_await s.ask("GET", "/crm/v3/objects/contacts");
    EXPECT_EQ(later.status, 200u);
  });
}

TEST(HubSpotSim, knows_tokens_their_end_and_their_scopes) {
  HubSpotSim::Options options;
  options.tokens["reader"] = {{"crm.objects.contacts.read"}, {}};
  Scene scene{options};
  scene.sim.options().tokens["short"] = {HubSpotSim::all_scopes(), scene.time.wall() + 1800s};
  scene.play([](Scene& s) -> base::Async<> {
    auto nobody = co_await s.ask("GET", "/crm/v3/objects/contacts", {}, "nobody");
    EXPECT_EQ(nobody.body["category"], "INVALID_AUTHENTICATION");
    EXPECT_EQ(nobody.headers.find("X-HubSpot-Auth-Failure"), "401 Unauthorized");
    auto reader = co_await s.ask("POST", "/crm/v3/objects/contacts", contact("a@b.co"), "reader");
    EXPECT_EQ(reader.status, 403u);
    EXPECT_EQ(reader.body["errors"][0]["context"]["requiredGranularScopes"][0], "crm.objects.contacts.write");
    auto fresh = co_await s.ask("GET", "/crm/v3/objects/contacts", {}, "short");
    EXPECT_EQ(fresh.status, 200u);
    s.time.advance(1800s);
    auto old = co_await s.ask("GET", "/crm/v3/objects/contacts", {}, "short");
    EXPECT_EQ(old.body["category"], "EXPIRED_AUTHENTICATION");
  });
}

TEST(HubSpotSim, refuses_what_breaks_its_rules) {
  Scene scene;
  auto const id = (*scene.sim.store().create("contacts", {{"lastname", "X"}}))->id;
  scene.play([id](Scene& s) -> base::Async<> {
    Json const link{{"to", {{"id", std::to_string(id)}}},
                    {"types", Json::array({{{"associationCategory", "HUBSPOT_DEFINED"}, {"associationTypeId", 193}}})}};
    std::vector<std::pair<std::string, Json>> const wrong{
        {"contacts", {{"properties", {{"phone", "+15551230000"}}}}},
        {"contacts", {{"properties", {{"lastname", "X"}, {"colour", "red"}}}}},
        {"calls", {{"properties", {{"hs_call_title", "no time"}}}}},
        {"calls", {{"properties", {{"hs_timestamp", "1"}, {"hs_call_recording_url", "http://x"}}}}},
        {"calls", {{"properties", {{"hs_timestamp", "1"}}}, {"associations", Json::array({link})}}},
        {"leads", {{"properties", {{"hs_lead_name", "X"}}}}}};
    for (auto const& [type, body] : wrong) {
      auto refused = co_await s.ask("POST", "/crm/objects/2026-09/" + type, body);
      EXPECT_EQ(refused.status, 400u) << type << " " << body;
      EXPECT_EQ(refused.body["category"], "VALIDATION_ERROR");
    }
  });
}

TEST(HubSpotSim, breaks_the_wire_before_or_after_it_has_written) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    using Kind = HubSpotFault::Kind;
    s.sim.fail({.kind = Kind::cut_before});
    auto before = co_await s.ask("POST", "/crm/v3/objects/contacts", contact("a@b.co"));
    EXPECT_EQ(before.status, 0u);
    EXPECT_EQ(s.sim.store().objects("contacts").size(), 0u);
    s.sim.fail({.kind = Kind::cut_after, .bytes = 40});
    auto after = co_await s.ask("POST", "/crm/v3/objects/contacts", contact("a@b.co"));
    EXPECT_EQ(after.status, 0u);
    EXPECT_EQ(s.sim.store().objects("contacts").size(), 1u);
    s.sim.fail({.kind = Kind::truncated});
    auto half = co_await s.ask("GET", "/crm/v3/objects/contacts");
    EXPECT_EQ(half.status, 200u);
    EXPECT_TRUE(half.body.is_discarded());
  });
}

}  // namespace
}  // namespace sim::crm
