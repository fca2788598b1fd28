#include "crm/adapters/webhook/message.h"

#include <nlohmann/json.hpp>

#include "gateway/base/time_source.h"
#include "gateway/net/url.h"

namespace crm::webhook {
namespace {

using Json = nlohmann::json;

constexpr auto ids = {"tenant_id", "call_id", "contact_id", "appointment_id"};

}  // namespace

base::Result<Settings> read_settings(std::string_view json) {
  auto const given = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!given.is_object() || !given.contains("url") || !given["url"].is_string())
    return base::fail(base::Fault::refused, "a webhook needs a url");
  Settings settings{given["url"].get<std::string>()};
  auto const url = net::parse_url(settings.url);
  if (!url || !url->scheme.starts_with("http")) return base::fail(base::Fault::refused, "the url is none of the web");
  if (!url->userinfo.empty()) return base::fail(base::Fault::refused, "the url carries a user name");
  return settings;
}

std::string to_json(Settings const& settings) {
  return Json{{"url", settings.url}}.dump();
}

std::string body_of(OutboxRow const& row) {
  auto const payload = Json::parse(row.payload_json, nullptr, /*allow_exceptions=*/false);
  Json data = Json::object();
  Json at = base::iso8601(row.created_at);
  if (payload.is_object()) {
    if (auto const inner = payload.find("data"); inner != payload.end() && inner->is_object()) data = *inner;
    if (auto const when = payload.find("at"); when != payload.end() && when->is_string()) at = *when;
    for (auto const* id : ids) {
      if (auto const found = payload.find(id); found != payload.end() && found->is_string()) data[id] = *found;
    }
  }
  return Json{{"type", row.event}, {"timestamp", at}, {"data", data}}.dump(-1, ' ', false,
                                                                           Json::error_handler_t::replace);
}

}  // namespace crm::webhook
