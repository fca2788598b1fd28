#include "tests/sim/elevenlabs_scene.h"

namespace sim::elevenlabs::test_scene {
namespace {

ElevenLabsSim::Options behaving(std::vector<std::pair<std::string, std::string>> settings,
                                Agent agent = plain_agent()) {
  for (auto const& [name, value] : settings) {
    auto const set = set_behaviour(agent.behaviour, name, value);
    EXPECT_TRUE(set.has_value()) << name;
  }
  return with(std::move(agent));
}

TEST(ElevenLabsSimDoor, closes_with_3000_for_an_unknown_agent) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    auto connected = co_await s.client.connect(s.sim.socket_url("agent_nobody"));
    EXPECT_TRUE(connected.has_value());
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 3000);
    EXPECT_EQ(s.client.closed->reason, "The AI agent you are trying to reach does not exist.");
  });
}

TEST(ElevenLabsSimDoor, turns_away_who_has_no_signature_by_close_or_by_status) {
  auto agent = plain_agent();
  agent.auth = true;
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    auto connected = co_await s.client.connect(s.sim.socket_url("agent_x"));
    EXPECT_TRUE(connected.has_value());
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 3000);
    s.sim.agent("agent_x").behaviour.reject_with = 401;
    Client second{s.io.get_executor()};
    auto refused = co_await second.connect(s.sim.socket_url("agent_x") + "&conversation_signature=wrong");
    EXPECT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().fault, base::Fault::refused);
    co_await second.finish(s.time);
  });
}

TEST(ElevenLabsSimDoor, takes_the_api_key_on_the_upgrade_request) {
  auto agent = plain_agent();
  agent.auth = true;
  Scene scene{with(agent, {"sk_right"})};
  scene.play([](Scene& s) -> base::Async<> {
    net::Headers headers;
    headers.add("xi-api-key", "sk_right");
    auto connected = co_await s.client.connect(s.sim.socket_url("agent_x"), headers);
    EXPECT_TRUE(connected.has_value());
    s.client.introduce();
    bool const known = co_await s.client.gets("conversation_initiation_metadata");
    EXPECT_TRUE(known);
    EXPECT_EQ(s.sim.newest()->authorization, "authorization_header");
  });
}

TEST(ElevenLabsSimDoor, can_refuse_the_upgrade_by_a_setting_in_the_url) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    auto refused = co_await s.client.connect(s.sim.socket_url("agent_x") + "&sim_refuse_upgrade=503");
    EXPECT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().detail, "upgrade answered with status 503");
  });
}

TEST(ElevenLabsSimStart, refuses_an_override_that_the_agent_does_not_permit) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin({{"conversation_config_override", {{"tts", {{"voice_id", "v"}}}}}});
    co_await s.pass(200ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1008);
    EXPECT_EQ(s.client.closed->reason, "Override for field 'voice_id' is not allowed by config.");
    EXPECT_EQ(s.client.last("error")["error_event"]["error_type"], "override_error");
    EXPECT_EQ(s.client.count("agent_response"), 0U);
  });
}

TEST(ElevenLabsSimStart, uses_permitted_overrides_and_variables) {
  auto agent = plain_agent();
  agent.overrides = {"agent.first_message", "agent.language"};
  agent.languages = {"es"};
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    Json const extra{
        {"conversation_config_override", {{"agent", {{"first_message", "Hola {{name}}"}, {"language", "es"}}}}},
        {"dynamic_variables", {{"name", "Ada"}, {"visits", 3}}}};
    co_await s.begin(extra);
    bool const greeted = co_await s.client.gets("agent_response");
    EXPECT_TRUE(greeted);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "Hola Ada");
    EXPECT_EQ(s.sim.newest()->variables.at("visits"), "3");
    EXPECT_EQ(s.sim.newest()->violations(), 0U) << s.sim.newest()->explain();
  });
}

TEST(ElevenLabsSimStart, names_missing_variables_also_when_they_came_nested) {
  auto agent = plain_agent();
  agent.required_variables = {"customer_name"};
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin({{"conversation_initiation_client_data", {{"dynamic_variables", {{"customer_name", "Ada"}}}}}});
    co_await s.pass(200ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->reason, "Missing required dynamic variables in first message: {'customer_name'}");
    EXPECT_EQ(s.sim.newest()->count("nested_client_data"), 1U);
  });
}

TEST(ElevenLabsSimStart, holds_audio_before_the_client_data_against_the_client) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    auto connected = co_await s.client.connect(s.sim.socket_url("agent_x"));
    EXPECT_TRUE(connected.has_value());
    s.client.send_audio(std::vector<std::uint8_t>(160, 0xFF));
    bool const judged = co_await s.sim.until([&] { return s.sim.newest()->violations() == 1; });
    EXPECT_TRUE(judged);
    EXPECT_EQ(s.sim.newest()->findings[0].kind, "first_frame");
    EXPECT_EQ(s.client.count("conversation_initiation_metadata"), 1U) << "sent before anything was read";
  });
}

TEST(ElevenLabsSimStart, closes_a_strict_session_at_the_first_violation) {
  Scene scene{behaving({{"strict", "true"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    s.client.send({{"type", "interrupt"}});
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1008);
    EXPECT_EQ(s.client.last("error")["error_event"]["error_type"], "invalid_message");
    EXPECT_EQ(s.sim.newest()->count("unknown_type"), 1U);
  });
}

TEST(ElevenLabsSimStart, sends_metadata_late_or_after_the_client_data_or_never) {
  Scene scene{behaving({{"metadata", "after_client_data"}, {"metadata_delay_ms", "800"}})};
  scene.play([](Scene& s) -> base::Async<> {
    auto connected = co_await s.client.connect(s.sim.socket_url("agent_x"));
    EXPECT_TRUE(connected.has_value());
    s.client.introduce();
    bool const read = co_await s.sim.until([&] { return !s.sim.newest()->client_data.empty(); });
    EXPECT_TRUE(read);
    co_await s.pass(700ms);
    EXPECT_TRUE(s.client.messages.empty());
    co_await s.pass(200ms);
    bool const late = co_await s.client.gets("conversation_initiation_metadata");
    EXPECT_TRUE(late);
    Client second{s.io.get_executor()};
    auto again = co_await second.connect(s.sim.socket_url("agent_x") + "&sim_metadata=never");
    EXPECT_TRUE(again.has_value());
    second.introduce();
    co_await s.sim.until([&] { return !s.sim.newest()->client_data.empty(); });
    co_await s.pass(3000ms);
    EXPECT_EQ(second.count("conversation_initiation_metadata"), 0U);
    co_await second.finish(s.time);
  });
}

TEST(ElevenLabsSimStart, discards_what_comes_while_the_call_waits_in_the_queue) {
  Scene scene{behaving({{"queue_ms", "2000"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    bool const waiting = co_await s.client.gets("queue_status");
    EXPECT_TRUE(waiting);
    s.client.send({{"type", "user_message"}, {"text", "hello?"}});
    bool const dropped = co_await s.sim.until([&] { return s.sim.newest()->discarded_while_queued == 1; });
    EXPECT_TRUE(dropped);
    EXPECT_EQ(s.client.count("agent_response"), 0U);
    co_await s.pass(2100ms);
    bool const admitted = co_await s.client.gets("agent_response");
    EXPECT_TRUE(admitted);
    EXPECT_EQ(s.client.last("queue_status")["queue_status_event"]["status"], "admitted");
  });
}

TEST(ElevenLabsSimStart, closes_with_3008_when_the_queue_timed_out) {
  Scene scene{behaving({{"queue_ms", "2000"}, {"queue_outcome", "timed_out"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(2100ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 3008);
    EXPECT_EQ(s.client.last("queue_status")["queue_status_event"]["status"], "timed_out");
  });
}

TEST(ElevenLabsSimKeepAlive, counts_pings_from_zero_and_flags_late_and_wrong_pongs) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    s.client.answers_pings = false;
    co_await s.begin();
    co_await s.pass(2050ms);
    bool const pinged = co_await s.client.gets("ping");
    EXPECT_TRUE(pinged);
    EXPECT_EQ(s.client.last("ping")["ping_event"]["event_id"], 0);
    EXPECT_TRUE(s.client.last("ping")["ping_event"]["ping_ms"].is_null());
    co_await s.pass(300ms);
    s.client.send({{"type", "pong"}, {"event_id", 0}});
    s.client.send({{"type", "pong"}, {"event_id", 77}});
    bool const judged = co_await s.sim.until([&] { return s.sim.newest()->violations() == 2; });
    EXPECT_TRUE(judged);
    EXPECT_EQ(s.sim.newest()->count("late_pong"), 1U);
    EXPECT_EQ(s.sim.newest()->count("wrong_pong"), 1U);
    co_await s.pass(2000ms);
    bool const measured = co_await s.client.gets("ping", 2);
    EXPECT_TRUE(measured);
    EXPECT_EQ(s.client.last("ping")["ping_event"]["ping_ms"], s.sim.newest()->pongs[0].took.count());
  });
}

TEST(ElevenLabsSimKeepAlive, ends_a_session_that_sends_nothing_for_a_minute) {
  Scene scene{behaving({{"ping_interval_ms", "0"}, {"turn_timeout_ms", "0"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(59000ms);
    EXPECT_FALSE(s.client.closed.has_value());
    co_await s.pass(1100ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1002);
    EXPECT_EQ(s.client.last("error")["error_event"]["error_type"], "transport_receive_timeout");
  });
}

TEST(ElevenLabsSimKeepAlive, ends_a_conversation_at_its_longest_duration) {
  Scene scene{behaving({{"max_duration_ms", "5000"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(5100ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1000);
    EXPECT_EQ(s.client.last("error")["error_event"]["error_type"], "max_duration_exceeded");
  });
}

TEST(ElevenLabsSimAudio, flags_a_client_that_floods_it) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    for (int i = 0; i < 100; ++i) s.client.send_audio(std::vector<std::uint8_t>(160, 0xFF));
    bool const judged = co_await s.sim.until([&] { return s.sim.newest()->caller_messages == 100; });
    EXPECT_TRUE(judged);
    EXPECT_EQ(s.sim.newest()->count("pacing"), 1U);
  });
}

TEST(ElevenLabsSimAudio, flags_odd_frames_bad_base64_and_the_wrong_codec) {
  auto agent = plain_agent();
  agent.input_format = "pcm_16000";
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    s.client.send_audio(std::vector<std::uint8_t>(639, 0));
    s.client.send_text(R"({"user_audio_chunk":"AAA"})");
    std::vector<std::uint8_t> noise;
    for (int i = 0; i < 9600; ++i) noise.push_back(i % 2 == 0 ? 0x00 : (i % 4 == 1 ? 0x80 : 0x7F));
    s.client.send_audio(noise);
    bool const judged = co_await s.sim.until([&] { return s.sim.newest()->violations() == 3; });
    EXPECT_TRUE(judged) << s.sim.newest()->explain();
    EXPECT_EQ(s.sim.newest()->count("odd_frame"), 1U);
    EXPECT_EQ(s.sim.newest()->count("bad_base64"), 1U);
    EXPECT_EQ(s.sim.newest()->count("wrong_codec"), 1U);
  });
}

TEST(ElevenLabsSimAudio, can_cut_pcm_in_the_middle_of_samples_and_pad_a_message_to_a_megabyte_and_a_half) {
  auto agent = plain_agent();
  agent.output_format = "pcm_16000";
  Scene scene{behaving({{"odd_bytes", "true"}, {"big_message_bytes", "1500000"}, {"empty_audio", "true"}}, agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1000ms);
    bool const whole = co_await s.client.gets("agent_response_complete");
    EXPECT_TRUE(whole);
    EXPECT_EQ(s.client.largest, 1500000U);
    EXPECT_EQ(s.client.all("audio")[0]["audio_event"]["audio_base_64"], "");
    EXPECT_EQ(s.sim.newest()->agent_chunks[0].bytes % 2, 1U);
    EXPECT_EQ(s.client.audio().size(), 32000U) << "nothing is lost by the cuts";
    EXPECT_EQ(s.client.audio(), s.sim.newest()->agent_audio);
  });
}

TEST(ElevenLabsSimAudio, tells_when_each_letter_is_spoken_unless_told_not_to) {
  auto agent = plain_agent();
  agent.first_message = Say{"abcdefghij", {AudioSource::Kind::tone, {}, 1000ms}};
  Scene scene{behaving({{"chunk_ms_min", "500"}, {"chunk_ms_max", "500"}}, agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1000ms);
    bool const both = co_await s.client.gets("audio", 2);
    EXPECT_TRUE(both);
    Json const first{{"chars", {"a", "b", "c", "d", "e"}},
                     {"char_start_times_ms", {0, 100, 200, 300, 400}},
                     {"char_durations_ms", {100, 100, 100, 100, 100}}};
    EXPECT_EQ(s.client.all("audio")[0]["audio_event"]["alignment"], first);
    EXPECT_EQ(s.client.all("audio")[1]["audio_event"]["alignment"]["chars"][0], "f");
    Client second{s.io.get_executor()};
    auto connected = co_await second.connect(s.sim.socket_url("agent_x") + "&sim_alignment=missing");
    EXPECT_TRUE(connected.has_value());
    second.introduce();
    bool const plain = co_await second.gets("audio");
    EXPECT_TRUE(plain);
    EXPECT_FALSE(second.last("audio")["audio_event"].contains("alignment"));
    co_await second.finish(s.time);
  });
}

TEST(ElevenLabsSimFaults, sends_what_no_client_should_choke_on) {
  Scene scene{behaving({{"broken_json", ""}, {"binary_frame", ""}, {"unknown_events", ""}, {"garbage_audio", ""}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1000ms);
    bool const whole = co_await s.client.gets("agent_response_complete");
    EXPECT_TRUE(whole);
    EXPECT_EQ(s.client.unreadable, 1U);
    EXPECT_EQ(s.client.binaries, 1U);
    EXPECT_EQ(s.client.count("holographic_projection"), 1U);
    EXPECT_GE(s.client.count("audio"), 1U);
    EXPECT_TRUE(s.client.audio().empty());
  });
}

TEST(ElevenLabsSimFaults, dies_in_the_middle_of_a_sentence) {
  Scene scene{behaving({{"die_mid_sentence_ms", "400"}, {"chunk_ms_min", "100"}, {"chunk_ms_max", "100"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1000ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1006);
    EXPECT_EQ(s.sim.newest()->agent_bytes, 3200U);
  });
}

TEST(ElevenLabsSimFaults, falls_silent_for_ever_after_the_metadata) {
  Scene scene{behaving({{"silent", ""}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    s.client.send({{"type", "user_message"}, {"text", "hello?"}});
    co_await s.sim.until([&] { return !s.sim.newest()->user_messages.empty(); });
    co_await s.pass(10000ms);
    EXPECT_EQ(s.client.messages.size(), 1U);
    EXPECT_FALSE(s.client.closed.has_value());
  });
}

TEST(ElevenLabsSimFaults, announces_a_format_nobody_knows) {
  Scene scene{behaving({{"metadata_output_format", "opus_48000"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    EXPECT_EQ(s.client.messages[0]["conversation_initiation_metadata_event"]["agent_output_audio_format"],
              "opus_48000");
  });
}

TEST(ElevenLabsSimFaults, drops_the_connection_after_a_while) {
  Scene scene{behaving({{"drop_after_ms", "3000"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(2900ms);
    EXPECT_FALSE(s.client.closed.has_value());
    co_await s.pass(200ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1006);
  });
}

TEST(ElevenLabsSimFaults, hangs_up_on_a_silent_caller_when_told_to) {
  Scene scene{behaving({{"silence_end_call_ms", "4000"}, {"turn_timeout_ms", "0"}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(4800ms);
    EXPECT_FALSE(s.client.closed.has_value()) << "one second of greeting, then four of silence";
    co_await s.pass(400ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1000);
  });
}

TEST(ElevenLabsSimFaults, cannot_be_interrupted_when_the_agent_does_not_send_interruptions) {
  auto agent = plain_agent();
  std::erase(agent.client_events, "interruption");
  agent.first_message->audio.length = 5000ms;
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1500ms);
    co_await s.caller_speaks(200ms);
    EXPECT_TRUE(s.sim.newest()->interruptions.empty());
    EXPECT_EQ(s.sim.newest()->agent_bytes, 40000U);
  });
}

TEST(ElevenLabsSimFaults, waits_for_its_goodbye_to_be_heard_when_it_is_polite) {
  auto agent = plain_agent();
  agent.turns.push_back({Turn::When::any, "", "", {Say{"Bye!", {AudioSource::Kind::tone, {}, 5000ms}}, EndCall{}}});
  Scene scene{behaving({{"end_call_after_playback", ""}}, agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1000ms);
    s.client.send({{"type", "user_message"}, {"text", "bye"}});
    co_await s.sim.until([&] { return !s.sim.newest()->user_messages.empty(); });
    co_await s.pass(4800ms);
    EXPECT_FALSE(s.client.closed.has_value());
    co_await s.pass(400ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1000);
  });
}

struct Shape {
  char const* name;
  char const* expected;
};
class ElevenLabsSimClose : public testing::TestWithParam<Shape> {};

TEST_P(ElevenLabsSimClose, carries_an_error_in_each_shape_seen_in_the_field) {
  Scene scene{behaving({{"close_code", "1002"},
                        {"close_when", "turn"},
                        {"close_reason", "This request exceeds your quota limit."},
                        {"close_error_type", "http_exception"},
                        {"close_shape", GetParam().name}})};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    s.client.send({{"type", "user_message"}, {"text", "hello"}});
    co_await s.sim.until([&] { return !s.sim.newest()->user_messages.empty(); });
    co_await s.pass(500ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1002);
    EXPECT_EQ(s.client.closed->reason, "This request exceeds your quota limit.");
    EXPECT_EQ(s.client.messages.back(), Json::parse(GetParam().expected));
  });
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ElevenLabsSimClose,
    testing::Values(
        Shape{"contract",
              R"({"type":"error","error_event":{"code":1002,"message":"This request exceeds your quota limit.",
                  "reason":"This request exceeds your quota limit.","error_type":"http_exception"}})"},
        Shape{"client_error",
              R"({"type":"client_error","error_event":{"code":1002,"message":"This request exceeds your quota limit.",
                  "error_name":"http_exception"}})"},
        Shape{
            "flat",
            R"({"type":"error","message":"received 1002 (protocol error) This request exceeds your quota limit.; then sent 1002 (protocol error) This request exceeds your quota limit."})"},
        Shape{"bare", R"({"type":"error"})"}),
    [](auto const& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace sim::elevenlabs::test_scene
