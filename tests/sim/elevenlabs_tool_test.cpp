#include "tests/sim/elevenlabs_scene.h"

namespace sim::elevenlabs::test_scene {
namespace {

Agent agent_with_tool(ToolCall call) {
  auto agent = plain_agent();
  agent.turns.push_back({Turn::When::any, "", "", {CallTools{{std::move(call)}}, Say{"It says {{tool_result}}.", {}}}});
  return agent;
}

base::Async<> reach_tool_call(Scene& s) {
  co_await s.begin();
  co_await s.pass(500ms);
  s.client.send({{"type", "user_message"}, {"text", "look it up"}});
  bool const called = co_await s.client.gets("client_tool_call");
  EXPECT_TRUE(called);
}

Json result_for(Scene& s, std::string text, bool is_error = false) {
  return {{"type", "client_tool_result"},
          {"tool_call_id", s.client.last("client_tool_call")["client_tool_call"]["tool_call_id"]},
          {"result", std::move(text)},
          {"is_error", is_error}};
}

TEST(ElevenLabsSimTool, goes_on_speaking_with_the_result) {
  Scene scene{with(agent_with_tool({"lookup", R"({"order":"A1"})"}))};
  scene.play([](Scene& s) -> base::Async<> {
    co_await reach_tool_call(s);
    auto const call = s.client.last("client_tool_call")["client_tool_call"];
    EXPECT_EQ(call["tool_name"], "lookup");
    EXPECT_EQ(call["parameters"]["order"], "A1");
    EXPECT_EQ(call["event_id"], 2);
    EXPECT_EQ(call["expects_response"], true);
    EXPECT_EQ(s.client.count("agent_response"), 1U) << "silent until the result";
    s.client.send(result_for(s, "shipped"));
    bool const spoken = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(spoken);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "It says shipped.");
    EXPECT_EQ(s.sim.newest()->tools[0].result, "shipped");
    EXPECT_EQ(s.sim.newest()->violations(), 0U) << s.sim.newest()->explain();
  });
}

TEST(ElevenLabsSimTool, uses_an_answer_for_what_it_says_and_for_the_next_tool) {
  auto agent = plain_agent();
  ToolCall book{"book", R"({"start":"{{find_slots.slots.1.start}}","by":"{{caller_id}}","nights":2})"};
  agent.turns.push_back({Turn::When::any,
                         "",
                         "",
                         {CallTools{{{"find_slots"}}}, Say{"At {{find_slots.slots.1.spoken}}?", {}},
                          CallTools{{std::move(book)}}, Say{"It is {{book.id}}: {{book.ok}}.", {}}}});
  Scene scene{with(std::move(agent))};
  scene.play([](Scene& s) -> base::Async<> {
    co_await reach_tool_call(s);
    s.client.send(result_for(s, R"({"slots":[{"start":"a"},{"start":"2026-01-05T10:00","spoken":"\"ten\" sharp"}]})"));
    bool const again = co_await s.client.gets("client_tool_call", 2);
    EXPECT_TRUE(again);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "At \"ten\" sharp?");
    auto const call = s.client.last("client_tool_call")["client_tool_call"];
    EXPECT_EQ(call["parameters"], Json({{"start", "2026-01-05T10:00"}, {"by", "{{caller_id}}"}, {"nights", 2}}));
    s.client.send(result_for(s, R"({"ok":true,"id":"apt_1"})"));
    bool const spoken = co_await s.client.gets("agent_response", 3);
    EXPECT_TRUE(spoken);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "It is apt_1: true.");
    EXPECT_EQ(s.sim.newest()->violations(), 0U) << s.sim.newest()->explain();
  });
}

TEST(ElevenLabsSimTool, says_something_else_when_the_tool_failed) {
  ToolCall call{"lookup"};
  call.on_error = Say{"I cannot see that.", {}};
  Scene scene{with(agent_with_tool(call))};
  scene.play([](Scene& s) -> base::Async<> {
    co_await reach_tool_call(s);
    s.client.send(result_for(s, "no connection", true));
    bool const spoken = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(spoken);
    EXPECT_EQ(s.client.last("agent_response")["agent_response_event"]["agent_response"], "I cannot see that.");
  });
}

TEST(ElevenLabsSimTool, apologises_after_the_timeout_and_counts_the_late_result) {
  ToolCall call{"lookup"};
  call.timeout = 3000ms;
  Scene scene{with(agent_with_tool(call))};
  scene.play([](Scene& s) -> base::Async<> {
    co_await reach_tool_call(s);
    co_await s.pass(3100ms);
    bool const spoken = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(spoken);
    EXPECT_EQ(s.sim.newest()->count("tool_timeout"), 1U);
    s.client.send(result_for(s, "shipped"));
    bool const late = co_await s.sim.until([&] { return s.sim.newest()->late_tool_results == 1; });
    EXPECT_TRUE(late);
  });
}

TEST(ElevenLabsSimTool, holds_wrong_results_against_the_client) {
  Scene scene{with(agent_with_tool({"lookup"}))};
  scene.play([](Scene& s) -> base::Async<> {
    co_await reach_tool_call(s);
    auto not_text = result_for(s, "");
    not_text["result"] = Json{{"status", "shipped"}};
    s.client.send(not_text);
    auto unknown = result_for(s, "x");
    unknown["tool_call_id"] = "call_nobody_made";
    s.client.send(unknown);
    s.client.send(result_for(s, "shipped"));
    s.client.send(result_for(s, "shipped"));
    bool const judged = co_await s.sim.until([&] { return s.sim.newest()->violations() == 3; });
    EXPECT_TRUE(judged) << s.sim.newest()->explain();
    EXPECT_EQ(s.sim.newest()->count("missing_fields"), 1U);
    EXPECT_EQ(s.sim.newest()->count("unknown_tool_result"), 1U);
    EXPECT_EQ(s.sim.newest()->count("duplicate_tool_result"), 1U);
  });
}

TEST(ElevenLabsSimTool, does_not_wait_when_no_response_is_expected) {
  ToolCall call{"notify"};
  call.expects_response = false;
  Scene scene{with(agent_with_tool(call))};
  scene.play([](Scene& s) -> base::Async<> {
    co_await reach_tool_call(s);
    bool const spoken = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(spoken);
    EXPECT_EQ(s.sim.newest()->violations(), 0U);
  });
}

TEST(ElevenLabsSimTool, waits_for_both_of_two_parallel_calls) {
  auto agent = plain_agent();
  agent.turns.push_back({Turn::When::any, "", "", {CallTools{{{"first"}, {"second"}}}, Say{"Both are there.", {}}}});
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await reach_tool_call(s);
    bool const both = co_await s.client.gets("client_tool_call", 2);
    EXPECT_TRUE(both);
    s.client.send(result_for(s, std::string(100'000, 'x')));
    bool const noted = co_await s.sim.until([&] { return s.sim.newest()->tools[1].result.size() == 100'000; });
    EXPECT_TRUE(noted);
    EXPECT_EQ(s.client.count("agent_response"), 1U);
    auto first = result_for(s, "a");
    first["tool_call_id"] = s.sim.newest()->tools[0].call_id;
    s.client.send(first);
    bool const spoken = co_await s.client.gets("agent_response", 2);
    EXPECT_TRUE(spoken);
  });
}

TEST(ElevenLabsSimTool, asks_for_approval_of_an_mcp_tool_and_reports_the_answer) {
  auto agent = plain_agent();
  agent.turns.push_back({Turn::When::any, "", "", {CallMcpTool{"calendar"}, Say{"Done.", {}}}});
  Scene scene{with(agent)};
  scene.play([](Scene& s) -> base::Async<> {
    co_await s.begin();
    co_await s.pass(500ms);
    s.client.send({{"type", "user_message"}, {"text", "go"}});
    bool const asked = co_await s.client.gets("mcp_tool_call");
    EXPECT_TRUE(asked);
    auto const call = s.client.last("mcp_tool_call")["mcp_tool_call"];
    EXPECT_EQ(call["state"], "awaiting_approval");
    s.client.send(
        {{"type", "mcp_tool_approval_result"}, {"tool_call_id", call["tool_call_id"]}, {"is_approved", false}});
    bool const told = co_await s.client.gets("mcp_tool_call", 2);
    EXPECT_TRUE(told);
    EXPECT_EQ(s.client.last("mcp_tool_call")["mcp_tool_call"]["state"], "failure");
  });
}

}  // namespace
}  // namespace sim::elevenlabs::test_scene
