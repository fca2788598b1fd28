#include <map>
#include <nlohmann/json.hpp>

#include "loadtest/sim/elevenlabs/rest.h"

namespace sim::elevenlabs {
namespace {

using Json = nlohmann::json;
using Seconds = std::chrono::seconds;

std::int64_t whole_seconds(Milliseconds length) {
  return std::chrono::duration_cast<Seconds>(length).count();
}

Json line_json(TranscriptLine const& line) {
  bool const interrupted = !line.original.empty();
  return {{"role", line.role == TranscriptLine::Role::agent ? "agent" : "user"},
          {"message", line.text},
          {"tool_calls", Json::array()},
          {"tool_results", Json::array()},
          {"feedback", nullptr},
          {"time_in_call_secs", whole_seconds(line.at)},
          {"conversation_turn_metrics", nullptr},
          {"interrupted", interrupted},
          {"original_message", interrupted ? Json(line.original) : Json(nullptr)},
          {"source_medium", line.medium}};
}

Json tool_json(ToolRecord const& tool) {
  Json call{{"type", "client"},
            {"request_id", tool.call_id},
            {"tool_name", tool.name},
            {"params_as_json", tool.parameters},
            {"tool_has_been_called", true},
            {"tool_details", nullptr}};
  Json line{{"role", "agent"},
            {"message", nullptr},
            {"tool_calls", Json::array({std::move(call)})},
            {"tool_results", Json::array()},
            {"feedback", nullptr},
            {"time_in_call_secs", whole_seconds(tool.at)},
            {"interrupted", false},
            {"original_message", nullptr},
            {"source_medium", nullptr}};
  if (tool.state == ToolRecord::State::answered)
    line["tool_results"].push_back({{"type", "client"},
                                    {"request_id", tool.call_id},
                                    {"tool_name", tool.name},
                                    {"result_value", tool.result},
                                    {"is_error", tool.is_error},
                                    {"tool_has_been_called", true},
                                    {"tool_latency_secs", static_cast<double>(tool.took.count()) / 1000}});
  return line;
}

Json transcript_json(ConversationRecord const& conversation) {
  std::multimap<Milliseconds, Json> lines;
  for (auto const& line : conversation.transcript) lines.emplace(line.at, line_json(line));
  for (auto const& tool : conversation.tools) lines.emplace(tool.at, tool_json(tool));
  Json out = Json::array();
  for (auto& [at, line] : lines) out.push_back(std::move(line));
  return out;
}

std::string termination(ConversationRecord const& conversation) {
  if (!conversation.ended) return "";
  if (conversation.ended->by_client) return "Client disconnected: " + std::to_string(conversation.ended->code);
  if (conversation.ended->code == 1000) return "end_call tool was called.";
  return conversation.ended->reason;
}

Json metadata_json(Platform const& platform, ConversationRecord const& conversation) {
  auto const start = std::chrono::duration_cast<Seconds>(conversation.started_wall.time_since_epoch()).count();
  std::int64_t length = 0;
  if (conversation.ended)
    length = std::chrono::duration_cast<Seconds>(conversation.ended->at - conversation.started).count();
  Json error = nullptr;
  if (conversation.ended && conversation.ended->code != 1000 && conversation.ended->code != 1006)
    error = {{"code", conversation.ended->code}, {"reason", conversation.ended->reason}};
  return {{"start_time_unix_secs", start},
          {"accepted_time_unix_secs", conversation.accepted ? Json(start) : Json(nullptr)},
          {"call_duration_secs", length},
          {"cost", length * 10},
          {"deletion_settings", {{"delete_transcript_and_pii", false}, {"delete_audio", false}}},
          {"feedback", {{"overall_score", nullptr}, {"likes", 0}, {"dislikes", 0}}},
          {"authorization_method", conversation.authorization},
          {"charging", {{"dev_discount", false}, {"tier", platform.scenario.tier}}},
          {"termination_reason", termination(conversation)},
          {"error", std::move(error)},
          {"warnings", Json::array()},
          {"main_language", "en"},
          {"text_only", false}};
}

}  // namespace

std::string conversation_detail(Platform const& platform, ConversationRecord const& conversation) {
  auto const status = platform.status(conversation);
  bool const finished = status == "done" || status == "failed";
  auto const* agent = platform.scenario.find(conversation.agent_id);
  auto client_data = Json::parse(conversation.client_data, nullptr, false);
  if (!client_data.is_object()) client_data = Json::object();
  client_data.erase("type");
  if (!client_data.contains("dynamic_variables")) client_data["dynamic_variables"] = Json::object();
  if (client_data["dynamic_variables"].is_object())
    client_data["dynamic_variables"]["system__conversation_id"] = conversation.id;
  Json analysis = nullptr;
  if (finished)
    analysis = {
        {"evaluation_criteria_results", Json::object()},
        {"data_collection_results", Json::object()},
        {"call_successful", status == "done" ? "success" : "failure"},
        {"transcript_summary", "A simulated conversation of " + std::to_string(conversation.turns) + " caller turns."},
        {"call_summary_title", "Simulated conversation"}};
  Json detail{{"agent_id", conversation.agent_id},
              {"agent_name", agent ? Json(agent->name) : Json(nullptr)},
              {"conversation_id", conversation.id},
              {"status", status},
              {"user_id", conversation.user_id.empty() ? Json(nullptr) : Json(conversation.user_id)},
              {"has_audio", finished},
              {"has_user_audio", conversation.caller_bytes > 0},
              {"has_response_audio", conversation.agent_bytes > 0},
              {"has_auxiliary_audio", false},
              {"transcript", transcript_json(conversation)},
              {"metadata", metadata_json(platform, conversation)},
              {"analysis", std::move(analysis)},
              {"conversation_initiation_client_data", std::move(client_data)}};
  return detail.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sim::elevenlabs
