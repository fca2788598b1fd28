#include "crm/adapters/hubspot/settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/net/form.h"
#include "gateway/net/url.h"

namespace crm::hubspot {
namespace {

using base::Fault;

bool is_property_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_country_code(std::string_view text) {
  return !text.empty() && text.size() <= 3 && text[0] != '0' &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

base::Result<std::string> base_url_from(std::string text) {
  auto const url = net::parse_url(text);
  bool const usable = url && (url->scheme == "https" || url->scheme == "http") && url->userinfo.empty() &&
                      url->query.empty() && text.find('#') == std::string::npos;
  if (!usable) return base::fail(Fault::protocol, "base_url: an http or https address without a query");
  while (text.ends_with('/')) text.pop_back();
  return text;
}

/// Sets one key; the name of what is wrong otherwise.
base::Result<> apply(Settings& settings, std::string const& key, std::string value) {
  if (key == "base_url") {
    auto url = base_url_from(std::move(value));
    if (!url) return std::unexpected{url.error()};
    settings.base_url = std::move(*url);
    return {};
  }
  if (key == "api_version") {
    if (value != "v3" && value != "2026-09") return base::fail(Fault::protocol, "api_version: 2026-09 or v3");
    settings.version = value == "v3" ? ApiVersion::v3 : ApiVersion::dated_2026_09;
    return {};
  }
  if (key == "country_code") {
    if (!is_country_code(value)) return base::fail(Fault::protocol, "country_code: one to three digits");
    settings.country_code = std::move(value);
    return {};
  }
  if (key == "tags_property" || key == "source_property") {
    if (!is_property_name(value)) return base::fail(Fault::protocol, key + ": the internal name of a property");
    (key == "tags_property" ? settings.tags_property : settings.source_property) = std::move(value);
    return {};
  }
  return base::fail(Fault::protocol, "a setting that HubSpot integrations do not have");
}

}  // namespace

base::Result<Settings> read_settings(std::string_view json, base::Secret token) {
  auto const object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) return base::fail(Fault::protocol, "settings are not a JSON object");
  Settings settings;
  if (token.empty()) return base::fail(Fault::protocol, "the token is missing");
  settings.token = std::move(token);
  for (auto const& [key, value] : object.items()) {
    if (!value.is_string()) return base::fail(Fault::protocol, "a setting is not a text");
    auto applied = apply(settings, key, value.get<std::string>());
    if (!applied) return std::unexpected{applied.error()};
  }
  return settings;
}

std::string Paths::account() const {
  return version_ == ApiVersion::v3 ? "/account-info/v3/details" : "/account-info/2026-09/details";
}

std::string Paths::objects(std::string_view type) const {
  return (version_ == ApiVersion::v3 ? "/crm/v3/objects/" : "/crm/objects/2026-09/") + net::percent_encode(type);
}

std::string Paths::object(std::string_view type, std::string_view id) const {
  return objects(type) + "/" + net::percent_encode(id);
}

std::string Paths::properties(std::string_view type) const {
  return (version_ == ApiVersion::v3 ? "/crm/v3/properties/" : "/crm/properties/2026-09/") + net::percent_encode(type);
}

std::string Paths::property(std::string_view type, std::string_view name) const {
  return properties(type) + "/" + net::percent_encode(name);
}

std::string Paths::link(std::string_view from, std::string_view id, std::string_view to, std::string_view to_id) const {
  // Links belong to v4 in the numbered family.
  auto const record = version_ == ApiVersion::v3
                          ? "/crm/v4/objects/" + net::percent_encode(from) + "/" + net::percent_encode(id)
                          : object(from, id);
  return record + "/associations/default/" + net::percent_encode(to) + "/" + net::percent_encode(to_id);
}

}  // namespace crm::hubspot
