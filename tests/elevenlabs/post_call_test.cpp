#include "gateway/agent/elevenlabs/post_call.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace gateway::elevenlabs {
namespace {

using Json = nlohmann::json;
using Quarantine = std::map<std::string, std::string>;

/// After the documented example of post_call_transcription.
Json conversation() {
  return Json::parse(R"({
    "agent_id": "agent_x", "conversation_id": "conv_x", "status": "done",
    "transcript": [{"role": "agent", "message": "Hello!", "time_in_call_secs": 0}],
    "metadata": {"start_time_unix_secs": 1739537297, "call_duration_secs": 22, "phone_call": null,
                 "termination_reason": "end_call tool was called."},
    "analysis": {
      "evaluation_criteria_results": {"solved": {"criteria_id": "solved", "result": "success", "rationale": "yes"}},
      "data_collection_results": {
        "order_id": {"data_collection_id": "order_id", "value": "A1", "rationale": "said so"},
        "guests": {"value": 4, "rationale": null}, "vegan": {"value": true}, "allergy": {"value": null}},
      "call_successful": "success", "transcript_summary": "Ordered.", "call_summary_title": "Order"},
    "conversation_initiation_client_data": {"dynamic_variables": {"call_sid": "CA1", "customer_name": "Ada"}}})");
}

Json delivery() {
  return {{"type", "post_call_transcription"}, {"event_timestamp", 1739537297}, {"data", conversation()}};
}

PostCall read(Json const& data) {
  auto const call = read_conversation(data.dump());
  EXPECT_TRUE(call);
  return call.value_or(PostCall{});
}

TEST(PostCall, tells_who_said_what) {
  auto data = conversation();
  data["transcript"] = Json::parse(R"([
    {"role": "agent", "message": "Hello!", "time_in_call_secs": 0, "interrupted": false, "original_message": null},
    {"role": "user", "message": "Stop", "time_in_call_secs": 2.7},
    {"role": "agent", "message": "We...", "original_message": "We open at nine.", "interrupted": true,
     "time_in_call_secs": 4},
    {"role": "agent", "message": null, "tool_calls": [{}], "time_in_call_secs": 9},
    {"role": "user", "message": 5}, {"role": "somebody", "message": "x"}, 7,
    {"role": "user", "message": "Bye", "time_in_call_secs": -3}])");
  auto const call = read(data);
  EXPECT_EQ(call.start_unix, 1739537297);
  ASSERT_EQ(call.transcript.size(), 4U);
  EXPECT_TRUE(call.transcript[0].by_agent);
  EXPECT_EQ(call.transcript[1].text, "Stop");
  EXPECT_EQ(call.transcript[1].at, std::chrono::seconds{2});
  EXPECT_FALSE(call.transcript[1].by_agent);
  EXPECT_EQ(call.transcript[2].original, "We open at nine.");
  EXPECT_TRUE(call.transcript[2].interrupted);
  EXPECT_EQ(call.transcript[3].at, std::chrono::seconds{0});
  data["transcript"] = 7;
  EXPECT_TRUE(read(data).transcript.empty());
  data["metadata"]["start_time_unix_secs"] = "today";
  EXPECT_EQ(read(data).quarantine.at("metadata.start_time_unix_secs"), "not a time");
}

TEST(PostCall, brings_what_the_outcome_of_a_call_wants_to_know) {
  auto const event = read_post_call_event(delivery().dump());
  ASSERT_TRUE(event && event->call);
  EXPECT_EQ(event->type, "post_call_transcription");
  EXPECT_EQ(event->event_unix, 1739537297);
  EXPECT_EQ(event->conversation_id, "conv_x");
  auto const& call = *event->call;
  EXPECT_EQ(call.conversation_id, "conv_x");
  EXPECT_EQ(call.agent_id, "agent_x");
  EXPECT_TRUE(call.is_complete());
  EXPECT_EQ(call.call_sid, "CA1");
  EXPECT_EQ(call.summary, "Ordered.");
  EXPECT_EQ(call.title, "Order");
  EXPECT_EQ(call.call_successful, "success");
  EXPECT_EQ(call.duration, std::chrono::seconds{22});
  EXPECT_EQ(call.termination_reason, "end_call tool was called.");
  EXPECT_EQ(evaluation_json(call), R"({"solved":{"rationale":"yes","result":"success"}})");
  EXPECT_EQ(collected_json(call),
            R"({"allergy":{"rationale":"","value":null},"guests":{"rationale":"","value":4},)"
            R"("order_id":{"rationale":"said so","value":"A1"},"vegan":{"rationale":"","value":true}})");
  EXPECT_EQ(call.quarantine, Quarantine{});
  EXPECT_EQ(call.event_unix, 1739537297);
}

TEST(PostCall, names_each_bad_field_and_keeps_the_rest) {
  struct Case {
    char const* pointer;
    Json value;
    char const* field;
    char const* complaint;
  };
  Case const cases[] = {
      {"/status", "finished", "status", "not a word we know"},
      {"/status", 7, "status", "not a text"},
      {"/agent_id", nullptr, "agent_id", "missing"},
      {"/metadata", "x", "metadata", "not an object"},
      {"/metadata/call_duration_secs", "22", "metadata.call_duration_secs", "not a plausible duration"},
      {"/metadata/call_duration_secs", -1, "metadata.call_duration_secs", "not a plausible duration"},
      {"/analysis/transcript_summary", 3, "analysis.transcript_summary", "not a text"},
      {"/analysis/transcript_summary", nullptr, "analysis.transcript_summary", "missing"},
      {"/analysis/call_successful", "maybe", "analysis.call_successful", "not a word we know"},
      {"/analysis/evaluation_criteria_results", Json::array(), "analysis.evaluation_criteria_results", "not an object"},
      {"/analysis/evaluation_criteria_results/solved", 1, "analysis.evaluation_criteria_results.solved",
       "not an object"},
      {"/analysis/evaluation_criteria_results/solved/result", "mostly",
       "analysis.evaluation_criteria_results.solved.result", "not a word we know"},
      {"/analysis/data_collection_results/order_id", "A1", "analysis.data_collection_results.order_id",
       "not an object"},
      {"/analysis/data_collection_results/order_id/value", std::string(9000, 'x'),
       "analysis.data_collection_results.order_id.value", "too long"},
      {"/conversation_initiation_client_data/dynamic_variables", "x",
       "conversation_initiation_client_data.dynamic_variables", "not an object"},
  };
  for (auto const& [pointer, value, field, complaint] : cases) {
    auto data = conversation();
    data[Json::json_pointer{pointer}] = value;
    auto const call = read(data);
    EXPECT_EQ(call.quarantine, (Quarantine{{field, complaint}}));
    EXPECT_EQ(call.conversation_id, "conv_x") << field;
    EXPECT_EQ(call.title, "Order") << field;
  }
}

TEST(PostCall, that_is_still_being_worked_on_is_not_complete_and_lacks_nothing) {
  auto data = conversation();
  data["status"] = "processing";
  data["analysis"] = nullptr;
  auto const call = read(data);
  EXPECT_FALSE(call.is_complete());
  EXPECT_FALSE(call.summary);
  EXPECT_EQ(call.quarantine, Quarantine{});
  data["status"] = "done";
  EXPECT_EQ(read(data).quarantine, (Quarantine{{"analysis", "missing"}}));
}

TEST(PostCall, keeps_only_so_much_and_only_what_can_be_stored) {
  auto data = conversation();
  auto& analysis = data["analysis"];
  analysis["transcript_summary"] = std::string(8191, 'a') + "ü";
  analysis["call_summary_title"] = std::string("a\0b", 3);
  analysis["data_collection_results"] = {{"nul", {{"value", Json::array({std::string("x\0", 2)})}}}};
  auto& criteria = analysis["evaluation_criteria_results"];
  for (int i = 0; i < 300; ++i) criteria["c" + std::to_string(i)] = {{"result", "success"}};
  auto const call = read(data);
  EXPECT_EQ(call.summary, std::string(8191, 'a'));
  EXPECT_EQ(call.title,
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(collected_json(call), "{\"nul\":{\"rationale\":\"\",\"value\":[\"x\xEF\xBF\xBD\"]}}");
  EXPECT_EQ(call.evaluation.size(), 100U);
  EXPECT_EQ(call.quarantine, (Quarantine{{"analysis.evaluation_criteria_results", "too many entries"}}));
}

TEST(PostCall, stays_within_what_a_column_takes) {
  auto data = conversation();
  auto& analysis = data["analysis"];
  auto const controls = std::string(2000, '\x01');  // six characters each in JSON
  for (int i = 0; i < 90; ++i) {
    auto const id = "c" + std::to_string(i);
    analysis["evaluation_criteria_results"][id] = {{"result", "success"}, {"rationale", controls}};
    analysis["data_collection_results"][id] = {{"value", std::string(8000, 'v')}, {"rationale", controls}};
  }
  analysis["transcript_summary"] = std::string(8000, '\0');
  auto const call = read(data);
  EXPECT_LT(evaluation_json(call).size(), 256U * 1024U);
  EXPECT_LT(collected_json(call).size(), 256U * 1024U);
  EXPECT_LE(call.summary->size(), 8192U);
  EXPECT_GT(call.evaluation.size(), 10U);
  EXPECT_EQ(call.quarantine.size(), 50U);
}

TEST(PostCall, of_other_types_brings_its_type_and_conversation) {
  for (auto const* type : {"post_call_audio", "call_initiation_failure", "something_new"}) {
    Json const body{{"type", type}, {"event_timestamp", 5}, {"data", {{"conversation_id", "conv_y"}}}};
    auto const event = read_post_call_event(body.dump());
    ASSERT_TRUE(event);
    EXPECT_EQ(event->type, type);
    EXPECT_EQ(event->conversation_id, "conv_y");
    EXPECT_FALSE(event->call);
  }
}

TEST(PostCall, survives_half_a_character) {
  std::pair<char const*, char const*> const cases[] = {
      {R"(cut \ud83d)", "cut \xEF\xBF\xBD"},
      {R"(\uDE00 cut)", "\xEF\xBF\xBD cut"},
      {R"(\ud83d\ud83d\ude00)", "\xEF\xBF\xBD😀"},
      {R"(\ud83d\u0041)",
       "\xEF\xBF\xBD"
       "A"},
      {R"(\\ud83d \ud83d\n)", "\\ud83d \xEF\xBF\xBD\n"},
      {"raw \xF0\x9F\x98", "raw \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (auto const& [written, read_as] : cases) {
    auto const call =
        read_conversation(R"({"status":"done","analysis":{"transcript_summary":")" + std::string{written} + R"("}})");
    ASSERT_TRUE(call) << written;
    EXPECT_EQ(call->summary, read_as) << written;
  }
}

TEST(PostCall, is_not_read_from_what_is_no_event) {
  auto const deep =
      R"({"type":"post_call_transcription","data":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  for (auto const& body : {std::string{}, std::string{"[]"}, std::string{"{"}, std::string{"{}"}, std::string{"null"},
                           std::string{R"({"type":7})"}, std::string{R"({"type":"\ud83"})"}, deep})
    EXPECT_FALSE(read_post_call_event(body)) << body.substr(0, 40);
  EXPECT_TRUE(read_post_call_event(R"({"type":"post_call_transcription"})"));
  EXPECT_FALSE(read_conversation("[]"));
}

}  // namespace
}  // namespace gateway::elevenlabs
