#include "tests/sim/elevenlabs_scene.h"

namespace sim::elevenlabs::test_scene {
namespace {

struct Answer {
  unsigned status = 0;
  Json body;
};

base::Async<Answer> get(Scene& s, net::HttpClient& http, std::string path, std::string key = "sk_right") {
  net::HttpCall call;
  call.url = s.sim.base_url() + path;
  if (!key.empty()) call.headers.add("xi-api-key", key);
  auto response = co_await http.send(std::move(call));
  Answer answer;
  if (!response) co_return answer;
  answer.status = response->status;
  answer.body = Json::parse(response->body, nullptr, false);
  co_return answer;
}

ElevenLabsSim::Options private_agent() {
  auto agent = plain_agent();
  agent.auth = true;
  agent.overrides = {"agent.first_message", "tts.voice_id"};
  agent.signed_output_format = "pcm_16000";
  return with(agent, {"sk_right"});
}

TEST(ElevenLabsSimRest, signs_a_url_that_opens_a_conversation) {
  Scene scene{private_agent()};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    auto answer = co_await get(s, http, "/v1/convai/conversation/get-signed-url?agent_id=agent_x");
    EXPECT_EQ(answer.status, 200U);
    auto connected = co_await s.client.connect(answer.body["signed_url"].get<std::string>());
    EXPECT_TRUE(connected.has_value());
    s.client.introduce();
    bool const known = co_await s.client.gets("conversation_initiation_metadata");
    EXPECT_TRUE(known);
    EXPECT_EQ(s.sim.newest()->authorization, "signed_url");
    EXPECT_EQ(s.client.messages[0]["conversation_initiation_metadata_event"]["agent_output_audio_format"], "pcm_16000");
    auto old_path = co_await get(s, http, "/v1/convai/conversation/get_signed_url?agent_id=agent_x");
    EXPECT_EQ(old_path.status, 200U);
  });
}

TEST(ElevenLabsSimRest, signatures_run_out_and_some_work_only_once) {
  Scene scene{private_agent()};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    s.sim.agent("agent_x").behaviour.reject_with = 403;
    auto once =
        co_await get(s, http, "/v1/convai/conversation/get-signed-url?agent_id=agent_x&include_conversation_id=true");
    auto const url = once.body["signed_url"].get<std::string>();
    auto first = co_await s.client.connect(url);
    EXPECT_TRUE(first.has_value());
    Client second{s.io.get_executor()};
    auto again = co_await second.connect(url);
    EXPECT_FALSE(again.has_value());
    auto plain = co_await get(s, http, "/v1/convai/conversation/get-signed-url?agent_id=agent_x");
    s.time.advance(16min);
    auto late = co_await second.connect(plain.body["signed_url"].get<std::string>());
    EXPECT_FALSE(late.has_value());
    co_await second.finish(s.time);
  });
}

TEST(ElevenLabsSimRest, lets_settings_travel_inside_the_signed_url) {
  Scene scene{private_agent()};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    auto answer =
        co_await get(s, http, "/v1/convai/conversation/get-signed-url?agent_id=agent_x&sim_drop_at_start=true");
    auto connected = co_await s.client.connect(answer.body["signed_url"].get<std::string>());
    EXPECT_TRUE(connected.has_value());
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1006);
  });
}

TEST(ElevenLabsSimRest, checks_the_key_and_names_what_is_missing) {
  Scene scene{private_agent()};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    auto wrong = co_await get(s, http, "/v1/convai/agents/agent_x", "sk_wrong");
    EXPECT_EQ(wrong.status, 401U);
    EXPECT_EQ(wrong.body["detail"]["status"], "invalid_api_key");
    auto unknown = co_await get(s, http, "/v1/convai/conversation/get-signed-url?agent_id=agent_nobody");
    EXPECT_EQ(unknown.status, 404U);
    EXPECT_EQ(unknown.body["detail"]["status"], "document_not_found");
    auto incomplete = co_await get(s, http, "/v1/convai/conversation/get-signed-url");
    EXPECT_EQ(incomplete.status, 422U);
    EXPECT_EQ(incomplete.body["detail"][0]["loc"], Json({"query", "agent_id"}));
  });
}

TEST(ElevenLabsSimRest, describes_an_agent_as_the_service_does) {
  Scene scene{private_agent()};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    auto agent = co_await get(s, http, "/v1/convai/agents/agent_x");
    EXPECT_EQ(agent.status, 200U);
    EXPECT_EQ(agent.body["platform_settings"]["auth"]["enable_auth"], true);
    auto const permissions = agent.body["platform_settings"]["overrides"]["conversation_config_override"];
    EXPECT_EQ(permissions["agent"]["first_message"], true);
    EXPECT_EQ(permissions["tts"]["voice_id"], true);
    EXPECT_EQ(agent.body["conversation_config"]["tts"]["agent_output_audio_format"], "ulaw_8000");
    auto subscription = co_await get(s, http, "/v1/user/subscription");
    EXPECT_EQ(subscription.body["tier"], "creator");
  });
}

TEST(ElevenLabsSimRest, reports_a_conversation_from_start_to_done_with_what_was_said_and_heard) {
  auto options = with(plain_agent(), {"sk_right"});
  options.scenario.processing = 3000ms;
  Scene scene{std::move(options)};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    co_await s.begin();
    co_await s.pass(500ms);
    s.client.send({{"type", "user_message"}, {"text", "Are you open today?"}});
    co_await s.pass(500ms);
    bool const answered = co_await s.client.gets("agent_response_complete", 2);
    EXPECT_TRUE(answered);
    auto const path = "/v1/convai/conversations/" + s.sim.newest()->id;
    auto running = co_await get(s, http, path);
    EXPECT_EQ(running.body["status"], "in-progress");
    co_await s.client.close();
    co_await s.sim.until([&] { return s.sim.newest()->ended.has_value(); });
    auto ended = co_await get(s, http, path);
    EXPECT_EQ(ended.body["status"], "processing");
    EXPECT_TRUE(ended.body["analysis"].is_null());
    s.time.advance(3s);
    auto done = co_await get(s, http, path);
    EXPECT_EQ(done.body["status"], "done");
    auto const& lines = done.body["transcript"];
    EXPECT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0]["message"], "Hello, how can I help you today?");
    EXPECT_EQ(lines[1]["role"], "user");
    EXPECT_EQ(lines[1]["message"], "Are you open today?");
    EXPECT_EQ(lines[2]["message"], "I have understood every single word of it.");
    EXPECT_EQ(done.body["analysis"]["call_successful"], "success");
    auto list = co_await get(s, http, "/v1/convai/conversations?agent_id=agent_x&page_size=1");
    EXPECT_EQ(list.body["conversations"].size(), 1U);
    EXPECT_EQ(list.body["conversations"][0]["conversation_id"], s.sim.newest()->id);
    EXPECT_EQ(list.body["has_more"], false);
  });
}

TEST(ElevenLabsSimRest, pages_through_conversations_newest_first) {
  Scene scene{with(plain_agent(), {"sk_right"})};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    for (int i = 0; i < 3; ++i) {
      Client visitor{s.io.get_executor()};
      auto connected = co_await visitor.connect(s.sim.socket_url("agent_x"));
      EXPECT_TRUE(connected.has_value());
      co_await visitor.gets("conversation_initiation_metadata");
      co_await visitor.finish(s.time);
    }
    auto first = co_await get(s, http, "/v1/convai/conversations?page_size=2");
    EXPECT_EQ(first.body["conversations"].size(), 2U);
    EXPECT_EQ(first.body["has_more"], true);
    auto rest = co_await get(
        s, http, "/v1/convai/conversations?page_size=2&cursor=" + first.body["next_cursor"].get<std::string>());
    EXPECT_EQ(rest.body["conversations"].size(), 1U);
    EXPECT_EQ(rest.body["conversations"][0]["conversation_id"], s.sim.conversations()[0]->id);
    EXPECT_EQ(rest.body["has_more"], false);
  });
}

TEST(ElevenLabsSimRest, fails_as_often_and_in_the_shape_it_is_told) {
  Scene scene{with(plain_agent(), {"sk_right"})};
  scene.play([](Scene& s) -> base::Async<> {
    net::HttpClient http;
    using Shape = RestFault::Shape;
    s.sim.fail_rest({"get-signed-url", 429, "too_many_concurrent_requests", Shape::current, 0ms, false, 1});
    s.sim.fail_rest({"get-signed-url", 500, "internal", Shape::text, 0ms, false, 1});
    s.sim.fail_rest({"get-signed-url", 503, "internal", Shape::absent, 0ms, false, 1});
    std::string const path = "/v1/convai/conversation/get-signed-url?agent_id=agent_x";
    auto busy = co_await get(s, http, path);
    EXPECT_EQ(busy.status, 429U);
    EXPECT_EQ(busy.body["detail"]["code"], "too_many_concurrent_requests");
    auto broken = co_await get(s, http, path);
    EXPECT_EQ(broken.status, 500U);
    EXPECT_TRUE(broken.body["detail"].is_string());
    auto bare = co_await get(s, http, path);
    EXPECT_EQ(bare.status, 503U);
    EXPECT_FALSE(bare.body.contains("detail"));
    auto well = co_await get(s, http, path);
    EXPECT_EQ(well.status, 200U);
    s.sim.fail_rest({"agents", 200, "", Shape::legacy, 0ms, true, 1});
    auto cut = co_await get(s, http, "/v1/convai/agents/agent_x");
    EXPECT_TRUE(cut.body.is_discarded());
  });
}

}  // namespace
}  // namespace sim::elevenlabs::test_scene
