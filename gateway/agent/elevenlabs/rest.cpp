#include "gateway/agent/elevenlabs/rest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/net/form.h"

namespace gateway::elevenlabs {
namespace {

using Json = nlohmann::json;

constexpr std::string_view conversation_path = "/v1/convai/conversation";
constexpr std::size_t max_answer_bytes = 64 * 1024;
/// 401 covers authorisation and quota alike (vendor's error list).
constexpr std::string_view quota_code = "quota_exceeded";

std::string path_under(net::Url const& api, std::string_view path) {
  std::string full = api.path;
  while (full.ends_with('/')) full.pop_back();
  return full.append(path);
}

AgentLegEnd end_for(base::Error const& error) {
  bool const is_final = error.fault == base::Fault::refused || error.fault == base::Fault::not_found;
  return {is_final ? AgentLegEnd::Kind::refused : AgentLegEnd::Kind::lost, 0, error.detail};
}

std::string label(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string out;
  for (char const c : text.substr(0, longest)) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
    out += plain ? c : '_';
  }
  return out;
}

bool is_concurrency_limit(std::string_view code) {
  return code == "too_many_concurrent_requests" || code == "concurrent_limit_exceeded";
}

}  // namespace

std::string api_error_code(std::string_view body) {
  if (body.size() > max_answer_bytes) return {};
  auto const json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  auto const detail = json.find("detail");
  if (detail == json.end()) return {};
  if (detail->is_array()) return "validation_error";
  if (!detail->is_object()) return {};
  for (char const* key : {"code", "status"}) {
    auto const value = detail->find(key);
    if (value != detail->end() && value->is_string()) return label(value->get_ref<std::string const&>());
  }
  return {};
}

base::Error api_error(net::Response const& response) {
  auto const code = api_error_code(response.body);
  auto detail = fmt::format("agent service answered {}{}{}{}", response.status, code.empty() ? "" : " (", code,
                            code.empty() ? "" : ")");
  auto const status = response.status;
  if (status == 404) return {base::Fault::not_found, std::move(detail)};
  if (status == 429 && is_concurrency_limit(code)) return {base::Fault::refused, std::move(detail)};
  if (status == 425 || status == 429 || status >= 500) return {base::Fault::unavailable, std::move(detail)};
  return {base::Fault::refused, std::move(detail)};
}

base::Result<net::Url> read_signed_url(net::Response const& response, bool api_is_secure) {
  if (response.status < 200 || response.status > 299) return std::unexpected{api_error(response)};
  auto const json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  auto const* text = json.is_object() && json.contains("signed_url") ? &json["signed_url"] : nullptr;
  if (!text || !text->is_string()) return base::fail(base::Fault::protocol, "agent service gave no signed URL");
  auto url = net::parse_url(text->get_ref<std::string const&>());
  if (!url) return base::fail(base::Fault::protocol, "agent service gave a signed URL that is no URL");
  bool const acceptable = url->scheme == "wss" || (url->scheme == "ws" && !api_is_secure);
  if (!acceptable) return base::fail(base::Fault::protocol, "agent service gave a signed URL with a wrong scheme");
  return url;
}

base::Async<Located> locate_socket(net::HttpClient& http, Settings const& settings, std::string agent_id,
                                   std::chrono::milliseconds timeout) {
  auto const api = net::parse_url(settings.api_base_url);
  if (!api) co_return std::unexpected{AgentLegEnd{AgentLegEnd::Kind::refused, 0, "agent service URL is not a URL"}};
  auto const query = "agent_id=" + net::percent_encode(agent_id);
  SocketAddress address;
  if (!settings.origin.empty()) address.headers.add("Origin", settings.origin);
  if (settings.api_key.empty() || settings.use_api_key_header) {
    if (!settings.api_key.empty()) address.headers.add("xi-api-key", std::string{settings.api_key.reveal()});
    address.url = api->with_scheme(api->is_secure() ? "wss" : "ws");
    address.url.path = path_under(*api, conversation_path);
    address.url.query = query;
    co_return address;
  }
  auto question = api->with_scheme(api->is_secure() ? "https" : "http");
  question.path = path_under(*api, std::string{conversation_path} + "/get-signed-url");
  question.query = query;
  net::HttpCall call;
  call.url = net::to_string(question);
  call.headers.add("xi-api-key", std::string{settings.api_key.reveal()});
  call.headers.add("Accept", "application/json");
  call.timeout = timeout;
  call.connect_timeout = std::min(timeout, call.connect_timeout);
  call.max_response_bytes = max_answer_bytes;
  auto const answer = co_await http.send(std::move(call));
  if (!answer) co_return std::unexpected{end_for({answer.error().fault, "signed URL: " + answer.error().detail})};
  auto url = read_signed_url(*answer, api->is_secure());
  if (url) {
    address.url = std::move(*url);
    co_return address;
  }
  auto end = end_for(url.error());
  if (answer->status > 299 && api_error_code(answer->body) == quota_code) end.kind = AgentLegEnd::Kind::quota;
  co_return std::unexpected{std::move(end)};
}

}  // namespace gateway::elevenlabs
