#include "tests/sim/elevenlabs_scene.h"

namespace sim::elevenlabs::test_scene {
namespace {

TEST(ElevenLabsSim, greets_after_the_client_has_introduced_itself) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    bool const begun = co_await s.begin();
    EXPECT_TRUE(begun);
    bool const complete = co_await s.client.gets("agent_response");
    EXPECT_TRUE(complete);
    EXPECT_EQ(s.client.index_of("conversation_initiation_metadata"), 0U);
    auto const metadata = s.client.messages[0]["conversation_initiation_metadata_event"];
    EXPECT_EQ(metadata["conversation_id"], s.sim.newest()->id);
    EXPECT_EQ(metadata["agent_output_audio_format"], "ulaw_8000");
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"],
              "Hello, how can I help you today?");
    EXPECT_EQ(s.sim.newest()->violations(), 0U) << s.sim.newest()->explain();
  });
}

TEST(ElevenLabsSim, records_byte_for_byte_what_it_said) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(500ms);
    bool const whole = co_await s.client.gets("agent_response_complete");
    EXPECT_TRUE(whole);
    auto const heard = s.client.audio();
    EXPECT_EQ(heard.size(), 8000U);
    EXPECT_EQ(heard, s.sim.newest()->agent_audio);
    EXPECT_EQ(heard, s.sim.newest()->agent_audio_of(1));
    EXPECT_EQ(heard, to_bytes(sine(tone_hz(1), 8000, 1000ms), media::Codec::mulaw));
  });
}

TEST(ElevenLabsSim, sends_speech_faster_than_it_plays) {
  auto agent = plain_agent();
  agent.first_message->audio.length = 10000ms;
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(2100ms);
    bool const whole = co_await s.client.gets("agent_response_complete");
    EXPECT_TRUE(whole);
    EXPECT_EQ(s.client.audio().size(), 80000U);
    EXPECT_GT(s.client.count("audio"), 5U);
  });
}

TEST(ElevenLabsSim, answers_when_the_caller_has_finished_speaking) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1500ms);
    co_await s.caller_speaks(800ms);
    EXPECT_EQ(s.client.count("user_transcript"), 0U);
    co_await s.caller_is_silent(720ms);
    bool const answered = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(answered);
    auto const transcript = s.client.last("user_transcript")["user_transcription_event"];
    EXPECT_EQ(transcript["user_transcript"], "(spoke for 0.8 s)");
    EXPECT_EQ(transcript["event_id"], 2);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["event_id"], 2);
    EXPECT_EQ(s.sim.newest()->violations(), 0U) << s.sim.newest()->explain();
    EXPECT_EQ(s.sim.newest()->caller_pcm().size(), 1520U * 8);
  });
}

TEST(ElevenLabsSim, does_not_end_a_turn_when_the_audio_stops_coming) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1500ms);
    co_await s.caller_speaks(800ms);
    co_await s.pass(5000ms);
    EXPECT_EQ(s.client.count("user_transcript"), 0U);
    co_await s.caller_is_silent(720ms);
    bool const answered = co_await s.client.gets("user_transcript");
    EXPECT_TRUE(answered);
    EXPECT_EQ(s.sim.newest()->count("gap"), 1U);
  });
}

TEST(ElevenLabsSim, is_interrupted_by_a_caller_who_speaks_over_it) {
  auto agent = plain_agent();
  agent.first_message = Say{"one two three four five six seven eight nine ten", {AudioSource::Kind::tone, {}, 10000ms}};
  agent.behaviour.stale_chunks = 2;
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(5000ms);
    auto const before = s.client.audio().size();
    EXPECT_EQ(before, 80000U);
    co_await s.caller_speaks(100ms);
    bool const corrected = co_await s.client.gets("agent_response_correction");
    EXPECT_TRUE(corrected);
    EXPECT_EQ(s.client.count("interruption"), 1U);
    EXPECT_EQ(s.client.last("interruption")["interruption_event"]["event_id"], 1);
    EXPECT_EQ(s.client.audio().size(), before + 2 * 1600) << "two stale chunks of 200 ms follow";
    EXPECT_GT(s.client.index_of("agent_response_correction"), s.client.index_of("interruption"));
    auto const correction = s.client.last("agent_response_correction")["agent_response_correction_event"];
    EXPECT_EQ(correction["corrected_agent_response"], "one two three four five...");
    EXPECT_EQ(s.sim.newest()->transcript.front().text, "one two three four five...");
    EXPECT_EQ(s.sim.newest()->interruptions.size(), 1U);
    co_await s.caller_is_silent(720ms);
    bool const answered = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(answered);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["event_id"], 2);
  });
}

TEST(ElevenLabsSim, stops_sending_the_rest_of_an_interrupted_sentence) {
  auto agent = plain_agent();
  agent.first_message->audio.length = 20000ms;
  agent.behaviour.burst_factor = 2;
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(2000ms);
    co_await s.caller_speaks(200ms);
    bool const interrupted = co_await s.client.gets("interruption");
    EXPECT_TRUE(interrupted);
    auto const sent = s.sim.newest()->agent_bytes;
    EXPECT_LT(sent, 70000U);
    co_await s.pass(2000ms);
    EXPECT_EQ(s.sim.newest()->agent_bytes, sent);
  });
}

TEST(ElevenLabsSim, lets_a_protected_first_message_finish) {
  auto agent = plain_agent();
  agent.first_message->audio.length = 4000ms;
  agent.behaviour.first_message_interruptible = false;
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1000ms);
    co_await s.caller_speaks(400ms);
    co_await s.caller_is_silent(720ms);
    bool const answered = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(answered);
    EXPECT_EQ(s.client.count("interruption"), 0U);
  });
}

TEST(ElevenLabsSim, answers_a_text_message_and_echoes_it) {
  auto agent = plain_agent();
  agent.turns.push_back({Turn::When::message, "opening", "", {Say{"From nine to five.", {}}}});
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    s.client.send({{"type", "user_message"}, {"text", "What are the opening hours?"}});
    co_await s.pass(1000ms);
    bool const answered = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(answered);
    EXPECT_EQ(s.client.last("user_transcript")["user_transcription_event"]["user_transcript"],
              "What are the opening hours?");
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "From nine to five.");
  });
}

TEST(ElevenLabsSim, answers_a_keypress_with_the_next_turn_not_before) {
  auto agent = plain_agent();
  agent.turns.push_back({Turn::When::dtmf, "3", "", {Say{"You pressed three.", {}}}});
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1500ms);
    s.client.send({{"type", "contextual_update"}, {"text", "Caller pressed 3 on the keypad"}, {"context_id", "dtmf"}});
    bool const noticed = co_await s.sim.until([&] { return !s.sim.newest()->contextual_updates.empty(); });
    EXPECT_TRUE(noticed);
    co_await s.pass(2000ms);
    EXPECT_EQ(s.client.count("agent_response"), 1U);
    co_await s.pass(6000ms);
    bool const answered = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(answered);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "You pressed three.");
  });
}

TEST(ElevenLabsSim, asks_a_silent_caller_whether_they_are_there) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(6500ms);
    EXPECT_EQ(s.client.count("agent_response"), 1U);
    s.client.send({{"type", "user_activity"}});
    bool const noticed = co_await s.sim.until([&] { return s.sim.newest()->user_activities == 1; });
    EXPECT_TRUE(noticed);
    co_await s.pass(6500ms);
    EXPECT_EQ(s.client.count("agent_response"), 1U) << "user_activity puts the question off";
    co_await s.pass(1000ms);
    bool const asked = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(asked);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "Are you still there?");
  });
}

TEST(ElevenLabsSim, hangs_up_while_its_goodbye_is_still_unplayed) {
  auto agent = plain_agent();
  agent.turns.push_back({Turn::When::any, "", "", {Say{"Goodbye!", {AudioSource::Kind::tone, {}, 5000ms}}, EndCall{}}});
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    s.client.send({{"type", "user_message"}, {"text", "bye"}});
    co_await s.sim.until([&] { return !s.sim.newest()->user_messages.empty(); });
    co_await s.pass(1500ms);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1000);
    EXPECT_EQ(s.client.last("agent_tool_response")["agent_tool_response"]["tool_name"], "end_call");
    EXPECT_EQ(s.client.audio(2).size(), 40000U);
    bool const over = co_await s.sim.until([&] { return s.sim.newest()->ended.has_value(); });
    EXPECT_TRUE(over);
    EXPECT_FALSE(s.sim.newest()->ended->by_client);
  });
}

TEST(ElevenLabsSim, says_so_itself_when_it_is_stopped_in_the_middle_of_a_call) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    s.sim.stop();
    co_await s.sim.drain(0s);
    EXPECT_EQ(s.sim.live(), 0U);
    EXPECT_TRUE(s.sim.newest()->ended.has_value());
    EXPECT_FALSE(s.sim.newest()->ended->by_client);
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
  });
}

TEST(ElevenLabsSim, re_uses_the_interrupted_id_for_new_speech_when_told_to) {
  auto agent = plain_agent();
  agent.first_message->audio.length = 5000ms;
  agent.behaviour.reuse_interrupted_id = true;
  agent.behaviour.interrupt_twice = true;
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(1500ms);
    co_await s.caller_speaks(100ms);
    co_await s.caller_is_silent(720ms);
    bool const answered = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(answered);
    EXPECT_EQ(s.client.count("interruption"), 2U);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["event_id"], 1);
    co_await s.pass(500ms);
    bool const spoken = co_await s.client.gets("agent_response_complete");
    EXPECT_TRUE(spoken);
    EXPECT_EQ(s.client.last("audio")["audio_event"]["event_id"], 1);
  });
}

TEST(ElevenLabsSim, keeps_two_conversations_apart) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    Client second{s.io.get_executor()};
    auto connected = co_await second.connect(s.sim.socket_url("agent_x"));
    EXPECT_TRUE(connected.has_value());
    second.introduce();
    co_await s.pass(1000ms);
    bool const greeted = co_await second.gets("agent_response_complete");
    EXPECT_TRUE(greeted);
    EXPECT_EQ(s.sim.live(), 2U);
    co_await second.close();
    bool const gone = co_await s.sim.until([&] { return s.sim.live() == 1; });
    EXPECT_TRUE(gone);
    EXPECT_TRUE(s.sim.conversations()[1]->ended->by_client);
    EXPECT_FALSE(s.sim.conversations()[0]->ended.has_value());
    co_await second.finish(s.time);
  });
}

TEST(ElevenLabsSim, does_what_a_test_asks_for_in_the_middle_of_a_call) {
  Scene scene;
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(500ms);
    std::vector<Step> steps{SendRaw{R"({"type":"vad_score","vad_score_event":{"vad_score":0.5}})"}, Drop{}};
    EXPECT_TRUE(s.sim.perform(s.sim.newest()->id, steps));
    bool const closed = co_await s.client.is_closed();
    EXPECT_TRUE(closed);
    EXPECT_EQ(s.client.closed->code, 1006);
    EXPECT_EQ(s.client.count("vad_score"), 1U);
  });
}

}  // namespace
}  // namespace sim::elevenlabs::test_scene
