#include "gateway/agent/elevenlabs/session.h"

#include "tests/elevenlabs/scripted_agent.h"

namespace gateway::elevenlabs {
namespace {

using namespace test;
using Kind = AgentLegEnd::Kind;
using Lines = std::vector<std::string>;

class AgentSession : public AgentScene {
 protected:
  std::vector<std::uint8_t> const caller_frame_ = std::vector<std::uint8_t>(160, 0x7f);
};

/// Agent audio of five bytes in a turn.
std::string audio(int turn) {
  return R"({"type":"audio","audio_event":{"audio_base_64":"f39/f38=","event_id":)" + std::to_string(turn) + "}}";
}

// ---- the start -----------------------------------------------------------------------------------------------------

TEST_F(AgentSession, opens_the_signed_url_as_delivered_and_introduces_the_call_first) {
  settings.api_key = base::Secret{"sk_test"};
  settings.origin = "https://voice.example.com";
  request.agent_id = "agent x&y";
  request.dynamic_variables = {{"caller_id", std::string{"+15550001111"}}};
  Json first;
  agent({[&](Line& line) -> base::Async<> {
    first = co_await line.hears();
    line.says(metadata);
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].target, "/v1/convai/conversation/get-signed-url?agent_id=agent%20x%26y");
  EXPECT_EQ(questions[0].headers.find("xi-api-key"), "sk_test");
  ASSERT_EQ(upgrades.size(), 1U);
  EXPECT_EQ(upgrades[0].target, "/v1/convai/conversation?agent_id=agent_x&conversation_signature=sig1");
  EXPECT_EQ(upgrades[0].headers.find("origin"), "https://voice.example.com");
  EXPECT_FALSE(upgrades[0].headers.has("xi-api-key"));
  EXPECT_FALSE(upgrades[0].headers.has("sec-websocket-protocol"));
  EXPECT_EQ(first,
            Json::parse(
                R"({"type":"conversation_initiation_client_data","dynamic_variables":{"caller_id":"+15550001111"}})"));
  EXPECT_EQ(diary.lines, (Lines{"ready conv_1 ulaw_8000 ulaw_8000"}));
}

TEST_F(AgentSession, goes_straight_to_the_socket_of_a_public_agent) {
  agent({[](Line& line) -> base::Async<> { co_await line.closes(1000); }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_TRUE(questions.empty());
  ASSERT_EQ(upgrades.size(), 1U);
  EXPECT_EQ(upgrades[0].target, "/v1/convai/conversation?agent_id=agent_x");
}

TEST_F(AgentSession, can_show_the_key_on_the_socket_instead) {
  settings.api_key = base::Secret{"sk_test"};
  settings.use_api_key_header = true;
  agent({[](Line& line) -> base::Async<> { co_await line.closes(1000); }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_TRUE(questions.empty());
  ASSERT_EQ(upgrades.size(), 1U);
  EXPECT_EQ(upgrades[0].headers.find("xi-api-key"), "sk_test");
}

TEST_F(AgentSession, takes_metadata_that_comes_before_it_has_been_introduced) {
  agent({[&](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(audio(0));
    auto const first = co_await line.hears();
    EXPECT_EQ(first["type"], "conversation_initiation_client_data");
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines, (Lines{"ready conv_1 ulaw_8000 ulaw_8000", "audio 0 5"}));
}

TEST_F(AgentSession, keeps_what_comes_before_the_metadata_in_order) {
  agent({[&](Line& line) -> base::Async<> {
    line.says(R"({"type":"agent_response","agent_response_event":{"agent_response":"Hello","event_id":1}})");
    line.says(audio(1));
    line.says(R"({"type":"ping","ping_event":{"event_id":0}})");
    line.says(metadata);
    line.says(audio(2));
    co_await line.hears();
    auto const pong = co_await line.hears();
    EXPECT_EQ(pong, Json::parse(R"({"type":"pong","event_id":0})"));
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines, (Lines{"ready conv_1 ulaw_8000 ulaw_8000", "agent 1 Hello", "audio 1 5", "audio 2 5"}));
}

TEST_F(AgentSession, reports_both_formats_and_assumes_the_vendors_default_for_a_missing_one) {
  agent({[](Line& line) -> base::Async<> {
    line.says(R"({"type":"conversation_initiation_metadata","conversation_initiation_metadata_event":)"
              R"({"conversation_id":"conv_2","agent_output_audio_format":"pcm_44100"}})");
    line.says(metadata);
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines, (Lines{"ready conv_2 pcm_16000 pcm_44100"}));
}

TEST_F(AgentSession, ends_unusable_on_an_audio_format_it_does_not_know) {
  agent({[](Line& line) -> base::Async<> {
    line.says(
        R"({"type":"conversation_initiation_metadata","conversation_initiation_metadata_event":)"
        R"({"conversation_id":"c","agent_output_audio_format":"opus_48000","user_input_audio_format":"ulaw_8000"}})");
    line.says(audio(1));
    co_await line.waits_for_the_end();
  }});
  auto const end = converse();
  EXPECT_EQ(end.kind, Kind::unusable);
  EXPECT_NE(end.detail.find("opus_"), std::string::npos) << end.detail;
  EXPECT_TRUE(diary.lines.empty());
  ASSERT_TRUE(run_while([this] { return closes.empty(); }));
  EXPECT_EQ(closes[0].code, 1000);
  EXPECT_EQ(upgrades.size(), 1U);
}

TEST_F(AgentSession, gives_up_when_no_metadata_comes_within_the_budget) {
  time = &clock;
  bool introduced = false;
  agent({[&](Line& line) -> base::Async<> {
    co_await line.hears();
    line.says(R"({"type":"ping","ping_event":{"event_id":1}})");
    co_await line.hears();
    introduced = true;
    co_await line.waits_for_the_end();
  }});
  make_leg();
  start();
  ASSERT_TRUE(run_while([&] { return !introduced || clock.waiters() == 0; }));
  clock.advance(4999ms);
  EXPECT_FALSE(run_while([&] { return !ended; }, 0s));
  clock.advance(1ms);
  auto const end = wait_for_end();
  EXPECT_EQ(end.kind, Kind::lost);
  EXPECT_EQ(end.detail, "no conversation metadata in time");
  EXPECT_EQ(upgrades.size(), 1U);
}

TEST_F(AgentSession, gives_up_when_the_signed_url_does_not_come_within_the_budget) {
  time = &clock;
  settings.api_key = base::Secret{"k"};
  hold_signed_url.emplace(context_.get_executor());
  make_leg();
  start();
  ASSERT_TRUE(run_while([&] { return questions.empty() || clock.waiters() == 0; }));
  clock.advance(5s);
  EXPECT_EQ(wait_for_end().kind, Kind::lost);
  EXPECT_EQ(questions.size(), 1U);
  hold_signed_url->ring();
}

// ---- the conversation ----------------------------------------------------------------------------------------------

TEST_F(AgentSession, passes_a_conversation_on_in_order) {
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(R"({"type":"agent_response","agent_response_event":{"agent_response":"Hello","event_id":0}})");
    line.says(R"({"type":"audio","audio_event":{"audio_base_64":"f38=","event_id":"0","alignment":)"
              R"({"chars":["H"],"char_start_times_ms":[0],"char_durations_ms":[80]}}})");
    line.says(R"({"type":"audio","audio_event":{"audio_base_64":"","event_id":0}})");
    line.says(R"({"type":"agent_response_complete","agent_response_complete_event":{"event_id":0}})");
    line.says(
        R"({"type":"tentative_user_transcript","tentative_user_transcription_event":{"user_transcript":"I","event_id":3}})");
    line.says(R"({"type":"user_transcript","user_transcription_event":{"user_transcript":"I want","event_id":3}})");
    line.says(audio(3));
    line.says(R"({"type":"interruption","interruption_event":{"event_id":3}})");
    line.says(audio(3));
    line.says(R"({"type":"interruption"})");
    line.says(R"({"type":"agent_response_correction","agent_response_correction_event":)"
              R"({"original_agent_response":"Let me tell","corrected_agent_response":"Let me"}})");
    line.says(
        R"({"type":"agent_tool_response","agent_tool_response":{"tool_name":"end_call","tool_call_id":"e","is_error":false}})");
    co_await line.closes(1000);
  }});
  auto const end = converse();
  EXPECT_EQ(end.kind, Kind::finished);
  EXPECT_EQ(end.code, 1000);
  EXPECT_EQ(diary.lines, (Lines{"ready conv_1 ulaw_8000 ulaw_8000", "agent 0 Hello", "audio 0 2 aligned", "complete 0",
                                "caller 3 I want", "audio 3 5", "interruption 3", "audio 3 5", "interruption 3",
                                "corrected ? Let me tell > Let me", "hangs up"}));
  EXPECT_EQ(counted("switchboard_agent_sessions_total", {{"end", "finished"}}), 1);
  EXPECT_EQ(counted("switchboard_agent_messages_total", {{"type", "audio"}}), 4);
}

TEST_F(AgentSession, survives_every_frame_that_is_no_message) {
  agent({[](Line& line) -> base::Async<> {
    line.says("not json");
    line.says(metadata);
    for (char const* text : {"", "[]", "{", "null", R"({"type":7})", R"({"type":"error"})", R"({"type":"ping"})",
                             R"({"type":"ping","ping_event":{}})", R"({"type":"agent_sneezed"})",
                             R"({"type":"audio","audio_event":{"audio_base_64":"?","event_id":1}})",
                             R"({"type":"audio","audio":{"chunk":"AAAA"}})", R"({"type":"client_tool_call"})"})
      line.says(text);
    line.says(audio(1));
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines, (Lines{"ready conv_1 ulaw_8000 ulaw_8000", "audio 1 5"}));
  EXPECT_EQ(counted("switchboard_agent_messages_total", {{"type", "unknown"}}), 1);
  EXPECT_EQ(counted("switchboard_agent_messages_total", {{"type", "unreadable"}}), 10);
}

TEST_F(AgentSession, takes_a_message_of_one_and_a_half_megabytes) {
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    std::string big = R"({"type":"audio","audio_event":{"audio_base_64":")";
    big.append(1'500'000, 'f').append(R"(","event_id":1}})");
    line.says(big);
    line.says(audio(1));
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines, (Lines{"ready conv_1 ulaw_8000 ulaw_8000", "audio 1 1125000", "audio 1 5"}));
}

TEST_F(AgentSession, sends_the_callers_audio_only_once_the_format_is_known) {
  std::vector<Json> heard;
  diary.when_ready = [&] {
    leg->hear(caller_frame_);
    leg->keep_patient();
    leg->tell("topic", "known");
  };
  agent({[&](Line& line) -> base::Async<> {
    co_await line.hears();
    leg->hear(caller_frame_);
    leg->keep_patient();
    leg->press("12#");
    line.says(metadata);
    for (int i = 0; i < 4; ++i) heard.push_back(co_await line.hears());
    co_await line.closes(1000);
  }});
  make_leg();
  leg->tell("early", "told before anything");
  start();
  EXPECT_EQ(wait_for_end().kind, Kind::finished);
  ASSERT_EQ(heard.size(), 4U);
  EXPECT_EQ(heard[0].value("user_audio_chunk", "").size(), 216U);
  EXPECT_EQ(heard[1]["type"], "user_activity");
  EXPECT_EQ(heard[2]["text"], "known");
  EXPECT_EQ(heard[3]["text"], "told before anything");
}

TEST_F(AgentSession, answers_a_ping_ahead_of_audio_that_waits) {
  int pong_place = -1;
  agent({[&](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(R"({"type":"agent_response","agent_response_event":{"agent_response":"go","event_id":1}})");
    line.says(R"({"type":"ping","ping_event":{"event_id":7,"ping_ms":null}})");
    for (int place = 0; pong_place < 0; ++place) {
      auto const message = co_await line.hears();
      if (message.is_null()) break;
      if (message.value("type", "") == "pong") {
        EXPECT_EQ(message["event_id"], 7);
        pong_place = place;
      }
    }
    co_await line.closes(1000);
  }});
  // Fills the queue in the moment before the ping is read: only what is already being written may come first.
  diary.when_ready = [&] {
    for (int i = 0; i < 30; ++i) leg->hear(caller_frame_);
  };
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_GE(pong_place, 0);
  EXPECT_LT(pong_place, 31);
}

TEST_F(AgentSession, drops_and_counts_the_callers_audio_beyond_one_second) {
  diary.when_ready = [&] {
    for (int i = 0; i < 200; ++i) leg->hear(caller_frame_);
  };
  int heard = 0;
  agent({[&](Line& line) -> base::Async<> {
    co_await line.hears();
    line.says(metadata);
    line.says(audio(1));
    for (;;) {
      auto const message = co_await line.hears();
      if (message.contains("user_audio_chunk")) ++heard;
      if (message.value("type", "") == "client_tool_result") break;
      if (heard == 1)
        line.says(R"({"type":"client_tool_call","client_tool_call":{"tool_call_id":"t","tool_name":"n"}})");
    }
    co_await line.closes(1000);
  }});
  diary.when_tool = [&](ToolCall const& call) { leg->answer_tool(call.id, "done", false); };
  EXPECT_EQ(converse().kind, Kind::finished);
  auto const dropped = counted("switchboard_agent_dropped_audio_frames_total", {});
  EXPECT_GT(dropped, 100);
  EXPECT_EQ(heard + static_cast<int>(dropped), 200);
}

TEST_F(AgentSession, answers_tools_and_refuses_what_needs_a_human) {
  std::vector<Json> heard;
  diary.when_tool = [&](ToolCall const& call) { leg->answer_tool(call.id, R"({"ok":1})", true); };
  agent({[&](Line& line) -> base::Async<> {
    co_await line.hears();
    line.says(metadata);
    line.says(
        R"({"type":"client_tool_call","client_tool_call":{"tool_name":"book","tool_call_id":"call_8f","parameters":{"day":"mon"},"event_id":5}})");
    line.says(R"({"type":"mcp_tool_call","mcp_tool_call":{"tool_call_id":"m1","state":"loading"}})");
    line.says(R"({"type":"mcp_tool_call","mcp_tool_call":{"tool_call_id":"m1","state":"awaiting_approval"}})");
    line.says(R"({"type":"mcp_tool_call","mcp_tool_call":{"tool_call_id":"m1","state":"awaiting_approval"}})");
    line.says(R"({"type":"ping","ping_event":{"event_id":1}})");
    for (int i = 0; i < 3; ++i) heard.push_back(co_await line.hears());
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines[1], R"(tool call_8f book {"day":"mon"})");
  ASSERT_EQ(heard.size(), 3U);
  auto const has = [&](char const* text) { return std::ranges::find(heard, Json::parse(text)) != heard.end(); };
  EXPECT_TRUE(has(R"({"type":"client_tool_result","tool_call_id":"call_8f","result":"{\"ok\":1}","is_error":true})"));
  EXPECT_TRUE(has(R"({"type":"mcp_tool_approval_result","tool_call_id":"m1","is_approved":false})"));
  EXPECT_TRUE(has(R"({"type":"pong","event_id":1})"));
}

TEST_F(AgentSession, does_not_take_a_failed_end_call_for_a_goodbye) {
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(
        R"({"type":"agent_tool_response","agent_tool_response":{"tool_name":"end_call","tool_call_id":"e","is_error":true}})");
    line.says(
        R"({"type":"agent_tool_response","agent_tool_response":{"tool_name":"end_call","tool_call_id":"e","is_error":false,"is_called":false}})");
    line.says(
        R"({"type":"agent_tool_response","agent_tool_response":{"tool_name":"lookup","tool_call_id":"e","is_error":false}})");
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines.size(), 1U);
}

TEST_F(AgentSession, keeps_the_callers_audio_back_while_the_call_is_queued) {
  diary.when_queue = [&](QueueState) { leg->hear(caller_frame_); };
  std::vector<Json> heard;
  agent({[&](Line& line) -> base::Async<> {
    co_await line.hears();
    line.says(metadata);
    line.says(R"({"type":"queue_status","queue_status_event":{"status":"waiting"}})");
    line.says(R"({"type":"queue_status","queue_status_event":{"status":"waiting"}})");
    line.says(R"({"type":"ping","ping_event":{"event_id":1}})");
    heard.push_back(co_await line.hears());
    line.says(R"({"type":"queue_status","queue_status_event":{"status":"something new"}})");
    heard.push_back(co_await line.hears());
    co_await line.closes(1000);
  }});
  EXPECT_EQ(converse().kind, Kind::finished);
  EXPECT_EQ(diary.lines, (Lines{"ready conv_1 ulaw_8000 ulaw_8000", "queue waiting", "queue admitted"}));
  EXPECT_EQ(heard[0]["type"], "pong");
  EXPECT_TRUE(heard[1].contains("user_audio_chunk"));
}

TEST_F(AgentSession, waits_in_the_queue_longer_than_the_start_budget) {
  time = &clock;
  bool queued = false;
  Signal admit{context_.get_executor()};
  diary.when_queue = [&](QueueState) { queued = true; };
  agent({[&](Line& line) -> base::Async<> {
    line.says(R"({"type":"queue_status","queue_status_event":{"status":"waiting"}})");
    co_await admit.wait();
    line.says(R"({"type":"queue_status","queue_status_event":{"status":"admitted"}})");
    line.says(metadata);
    co_await line.closes(1000);
  }});
  make_leg();
  start();
  ASSERT_TRUE(run_while([&] { return !queued; }));
  clock.advance(60s);
  admit.ring();
  EXPECT_EQ(wait_for_end().kind, Kind::finished);
  EXPECT_EQ(diary.lines, (Lines{"queue waiting", "queue admitted", "ready conv_1 ulaw_8000 ulaw_8000"}));
}

TEST_F(AgentSession, a_queue_that_ran_out_is_a_refusal) {
  agent({[](Line& line) -> base::Async<> {
    line.says(metadata);
    line.says(R"({"type":"queue_status","queue_status_event":{"status":"waiting"}})");
    line.says(R"({"type":"queue_status","queue_status_event":{"status":"timed_out"}})");
    co_await line.closes(3008, "too many concurrent connections");
  }});
  auto const end = converse();
  EXPECT_EQ(end.kind, Kind::refused);
  EXPECT_EQ(end.code, 3008);
}

}  // namespace
}  // namespace gateway::elevenlabs
