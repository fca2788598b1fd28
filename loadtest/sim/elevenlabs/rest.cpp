#include "loadtest/sim/elevenlabs/rest.h"

#include <nlohmann/json.hpp>

#include "gateway/base/ids.h"
#include "gateway/net/form.h"

namespace sim::elevenlabs {
namespace {

using Json = nlohmann::json;

constexpr auto voice_id = "cjVigY5qzO86Huf0OWal";

net::Response ok(Json const& body) {
  return net::Response::json(200, body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

net::Response not_found(std::string_view code, std::string_view message) {
  return rest_error(404, code, message, RestFault::Shape::legacy);
}

net::Response missing_parameter(std::string_view where, std::string_view name) {
  Json const item{{"loc", {where, name}}, {"msg", "Field required"}, {"type", "missing"}};
  return net::Response::json(422, Json{{"detail", Json::array({item})}}.dump());
}

std::string last_part(std::string_view path) {
  return std::string{path.substr(path.rfind('/') + 1)};
}

Json say_text(std::optional<Say> const& say) {
  return say ? Json(say->text) : Json("");
}

/// {"agent":{"first_message":true}} from "agent.first_message".
Json permissions(std::vector<std::string> const& paths) {
  Json out = Json::object();
  for (auto const& path : paths) {
    Json* at = &out;
    for (std::size_t from = 0; from <= path.size();) {
      auto const dot = std::min(path.find('.', from), path.size());
      auto& next = (*at)[path.substr(from, dot - from)];
      if (dot == path.size()) next = true;
      at = &next;
      from = dot + 1;
    }
  }
  return out;
}

Json agent_json(Agent const& agent) {
  Json placeholders = Json::object();
  for (auto const& [name, value] : agent.placeholders) placeholders[name] = value;
  Json presets = Json::object();
  for (auto const& language : agent.languages) presets[language] = {{"overrides", Json::object()}};
  Json const end_call{
      {"type", "system"}, {"name", "end_call"}, {"description", ""}, {"params", {{"system_tool_type", "end_call"}}}};
  Json const prompt{{"prompt", "You are a simulated agent."},
                    {"llm", "gemini-2.5-flash"},
                    {"temperature", 0},
                    {"tool_ids", Json::array()},
                    {"built_in_tools", {{"end_call", end_call}}}};
  Json const conversation_config{
      {"agent",
       {{"first_message", say_text(agent.first_message)},
        {"language", agent.language},
        {"dynamic_variables", {{"dynamic_variable_placeholders", placeholders}}},
        {"prompt", prompt}}},
      {"asr", {{"quality", "high"}, {"user_input_audio_format", agent.input_format}, {"keywords", Json::array()}}},
      {"tts",
       {{"model_id", "eleven_flash_v2_5"}, {"voice_id", voice_id}, {"agent_output_audio_format", agent.output_format}}},
      {"turn", {{"turn_timeout", static_cast<double>(agent.behaviour.turn_timeout_ms) / 1000}}},
      {"conversation",
       {{"max_duration_seconds", agent.behaviour.max_duration_ms / 1000},
        {"text_only", false},
        {"client_events", agent.client_events}}},
      {"language_presets", presets}};
  Json const platform_settings{{"auth", {{"enable_auth", agent.auth}, {"allowlist", Json::array()}}},
                               {"overrides",
                                {{"conversation_config_override", permissions(agent.overrides)},
                                 {"custom_llm_extra_body", agent.custom_llm_extra_body},
                                 {"enable_conversation_initiation_client_data_from_webhook", false}}},
                               {"queueing_config", {{"enabled", true}}}};
  return {{"agent_id", agent.id},
          {"name", agent.name},
          {"tags", Json::array()},
          {"conversation_config", conversation_config},
          {"platform_settings", platform_settings},
          {"metadata", {{"created_at_unix_secs", 1767225600}, {"updated_at_unix_secs", 1767225600}}},
          {"phone_numbers", Json::array()}};
}

Json subscription_json(Scenario const& scenario) {
  return {{"tier", scenario.tier},
          {"character_count", 1200},
          {"character_limit", 100000},
          {"max_character_limit_extension", nullptr},
          {"max_credit_limit_extension", "unlimited"},
          {"current_overage", {{"amount", "0"}, {"currency", "usd"}}},
          {"can_extend_character_limit", true},
          {"allowed_to_extend_character_limit", true},
          {"next_character_count_reset_unix", 1769904000},
          {"voice_slots_used", 1},
          {"professional_voice_slots_used", 0},
          {"professional_voice_slots_used_in_workspace", 0},
          {"voice_limit", 30},
          {"voice_add_edit_counter", 0},
          {"professional_voice_limit", 1},
          {"can_extend_voice_limit", false},
          {"can_use_instant_voice_cloning", true},
          {"can_use_professional_voice_cloning", true},
          {"currency", "usd"},
          {"status", "active"},
          {"billing_period", "monthly_period"},
          {"character_refresh_period", "monthly_period"},
          {"next_invoice", nullptr},
          {"open_invoices", Json::array()},
          {"has_open_invoices", false}};
}

}  // namespace

net::Response rest_error(unsigned status, std::string_view code, std::string_view message, RestFault::Shape shape) {
  Json body = Json::object();
  switch (shape) {
    case RestFault::Shape::current:
      body["detail"] = {{"type", "error"},
                        {"code", code},
                        {"message", message},
                        {"status", code},
                        {"request_id", base::new_id("req")},
                        {"param", nullptr}};
      break;
    case RestFault::Shape::legacy:
      body["detail"] = {{"status", code}, {"message", message}};
      break;
    case RestFault::Shape::list:
      body["detail"] = Json::array({{{"loc", {"query", 0}}, {"msg", message}, {"type", code}}});
      break;
    case RestFault::Shape::text:
      body["detail"] = message;
      break;
    case RestFault::Shape::absent:
      break;
  }
  return net::Response::json(status, body.dump());
}

void Rest::add_routes(net::Router& router) {
  auto const get = [&](char const* path, Answer answer) {
    router.on("GET", path, [this, answer](net::Request request) { return serve(answer, std::move(request)); });
  };
  get("/v1/convai/conversation/get-signed-url", &Rest::signed_url);
  get("/v1/convai/conversation/get_signed_url", &Rest::signed_url);
  get("/v1/convai/agents", &Rest::list_agents);
  get("/v1/convai/agents/*", &Rest::get_agent);
  get("/v1/convai/conversations", &Rest::list_conversations);
  get("/v1/convai/conversations/*", &Rest::get_conversation);
  get("/v1/user", &Rest::user);
  get("/v1/user/subscription", &Rest::subscription);
}

base::Async<net::Response> Rest::serve(Answer answer, net::Request request) {
  bool truncated = false;
  for (auto& fault : platform_.faults) {
    if (fault.times == 0 || request.target.find(fault.path_contains) == std::string::npos) continue;
    if (fault.times > 0) --fault.times;
    auto const copy = fault;
    auto waited = co_await time_.wait(copy.delay);
    (void)waited;
    truncated = copy.truncated;
    if (copy.status != 200) co_return rest_error(copy.status, copy.code, "injected by the simulator", copy.shape);
    break;
  }
  if (!platform_.knows_key(request.headers.find("xi-api-key")))
    co_return rest_error(401, "invalid_api_key", "Invalid API key", RestFault::Shape::legacy);
  auto response = (this->*answer)(request);
  if (truncated) response.body.resize(response.body.size() / 2);
  co_return response;
}

net::Response Rest::signed_url(net::Request const& request) {
  auto const query = net::decode_form(request.query()).value_or(net::Form{});
  std::string const agent_id{net::find(query, "agent_id")};
  if (agent_id.empty()) return missing_parameter("query", "agent_id");
  if (!platform_.scenario.find(agent_id))
    return not_found("document_not_found", "Document with id " + agent_id + " not found.");
  bool const once = net::find(query, "include_conversation_id") == "true";
  auto const token = platform_.sign({agent_id, once});
  std::string url = (platform_.is_secure ? "wss://" : "ws://") + std::string{request.headers.find("host")} +
                    "/v1/convai/conversation?agent_id=" + net::percent_encode(agent_id) +
                    "&conversation_signature=" + token;
  if (once) url += "&conversation_id=" + base::new_id("conv");
  // Settings of the simulator travel through the signed URL, which a client must treat as opaque.
  for (auto const& [name, value] : query)
    if (name.starts_with("sim_")) url += "&" + net::percent_encode(name) + "=" + net::percent_encode(value);
  return ok({{"signed_url", url}});
}

net::Response Rest::list_agents(net::Request const&) {
  Json rows = Json::array();
  for (auto const& agent : platform_.scenario.agents)
    rows.push_back(
        {{"agent_id", agent.id},
         {"name", agent.name},
         {"voice_id", voice_id},
         {"tags", Json::array()},
         {"created_at_unix_secs", 1767225600},
         {"access_info",
          {{"is_creator", true}, {"creator_name", "sim"}, {"creator_email", "sim@example.com"}, {"role", "admin"}}},
         {"last_call_time_unix_secs", nullptr},
         {"archived", false}});
  return ok({{"agents", std::move(rows)}, {"next_cursor", nullptr}, {"has_more", false}});
}

net::Response Rest::get_agent(net::Request const& request) {
  auto const id = last_part(request.path());
  auto const* agent = platform_.scenario.find(id);
  if (!agent) return not_found("document_not_found", "Document with id " + id + " not found.");
  return ok(agent_json(*agent));
}

net::Response Rest::list_conversations(net::Request const& request) {
  auto const query = net::decode_form(request.query()).value_or(net::Form{});
  auto const agent_id = net::find(query, "agent_id");
  auto const cursor = net::find(query, "cursor");
  std::size_t page_size = 30;
  if (auto const text = net::find(query, "page_size"); !text.empty())
    page_size = std::min<std::size_t>(100, static_cast<std::size_t>(std::max(1, std::atoi(std::string{text}.c_str()))));
  Json rows = Json::array();
  Json next_cursor = nullptr;
  bool started = cursor.empty();
  for (auto it = platform_.conversations.rbegin(); it != platform_.conversations.rend(); ++it) {
    auto const& conversation = **it;
    if (!agent_id.empty() && conversation.agent_id != agent_id) continue;
    if (!started) {
      started = conversation.id == cursor;
      continue;
    }
    if (rows.size() == page_size) {
      next_cursor = rows.back()["conversation_id"];
      break;
    }
    auto const status = platform_.status(conversation);
    auto const start = std::chrono::duration_cast<std::chrono::seconds>(conversation.started_wall.time_since_epoch());
    std::int64_t length = 0;
    if (conversation.ended)
      length = std::chrono::duration_cast<std::chrono::seconds>(conversation.ended->at - conversation.started).count();
    rows.push_back({{"agent_id", conversation.agent_id},
                    {"agent_name", nullptr},
                    {"conversation_id", conversation.id},
                    {"start_time_unix_secs", start.count()},
                    {"call_duration_secs", length},
                    {"message_count", conversation.transcript.size()},
                    {"status", status},
                    {"call_successful", status == "done"     ? "success"
                                        : status == "failed" ? "failure"
                                                             : "unknown"}});
  }
  bool const more = !next_cursor.is_null();
  return ok({{"conversations", std::move(rows)}, {"next_cursor", std::move(next_cursor)}, {"has_more", more}});
}

net::Response Rest::get_conversation(net::Request const& request) {
  auto const id = last_part(request.path());
  auto const* conversation = platform_.find(id);
  if (!conversation) return not_found("document_not_found", "Conversation with id " + id + " not found.");
  return net::Response::json(200, conversation_detail(platform_, *conversation));
}

net::Response Rest::user(net::Request const&) {
  return ok({{"user_id", "user_sim"},
             {"workspace_id", "workspace_sim"},
             {"subscription", subscription_json(platform_.scenario)},
             {"is_new_user", false},
             {"can_use_delayed_payment_methods", false},
             {"is_onboarding_completed", true},
             {"is_onboarding_checklist_completed", true},
             {"created_at", 1767225600},
             {"seat_type", "workspace_admin"}});
}

net::Response Rest::subscription(net::Request const&) {
  return ok(subscription_json(platform_.scenario));
}

}  // namespace sim::elevenlabs
