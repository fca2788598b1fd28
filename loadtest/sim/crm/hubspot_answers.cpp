#include "loadtest/sim/crm/hubspot_answers.h"

#include <nlohmann/json.hpp>

#include "gateway/base/ids.h"
#include "gateway/net/form.h"

namespace sim::crm {
namespace {

using Json = nlohmann::json;

std::string correlation_id() {
  std::array<std::uint8_t, 16> bytes;
  base::fill_random(bytes);
  auto const hex = base::to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

std::vector<std::string> pieces_of(std::string_view path) {
  std::vector<std::string> pieces;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    auto const raw = path.substr(0, path.find('/'));
    path.remove_prefix(raw.size());
    std::string piece;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      auto const digit = [&raw](std::size_t at) {
        char const c = at < raw.size() ? raw[at] : 'x';
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                      : -1;
      };
      bool const escaped = raw[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0;
      piece += escaped ? static_cast<char>(digit(i + 1) * 16 + digit(i + 2)) : raw[i];
      if (escaped) i += 2;
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

bool is_version(std::string_view piece, bool& is_dated) {
  is_dated = piece == "2026-09" || piece == "2026-03" || piece == "2025-09";
  return is_dated || piece == "v3" || piece == "v4";
}

}  // namespace

net::Response hubspot_error(unsigned status, std::string_view category, std::string_view message,
                            std::string const& errors) {
  Json body{{"status", "error"}, {"message", message}, {"correlationId", correlation_id()}, {"category", category}};
  if (!errors.empty()) body["errors"] = Json::parse(errors);
  return net::Response::json(status, body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

net::Response hubspot_error(HubSpotError const& error) {
  return hubspot_error(error.status, error.category, error.message);
}

net::Response hubspot_limit(std::string_view policy) {
  auto const message = policy == "DAILY"      ? "You have reached your daily limit."
                       : policy == "SECONDLY" ? "You have reached your secondly limit."
                                              : "You have reached your ten_secondly_rolling limit.";
  Json const body{{"status", "error"},         {"message", message},
                  {"errorType", "RATE_LIMIT"}, {"correlationId", correlation_id()},
                  {"policyName", policy},      {"groupName", "publicapi:private-apps-api-calls"}};
  return net::Response::json(429, body.dump());
}

net::Response hubspot_status(unsigned status, std::string_view policy) {
  if (status == 429) return hubspot_limit(policy);
  if (status == 423) return hubspot_error(423, "LOCKED", "The record is locked.");
  if (status == 477) {
    auto answer = hubspot_error(477, "MIGRATION_IN_PROGRESS", "The account is being moved.");
    answer.headers.add("Retry-After", "3600");
    return answer;
  }
  if (status == 401) {
    auto answer = hubspot_error(401, "INVALID_AUTHENTICATION",
                                "Authentication credentials not found. This API supports OAuth 2.0 authentication.");
    answer.headers.add("X-HubSpot-Auth-Failure", "401 Unauthorized");
    return answer;
  }
  if (status == 403)
    return hubspot_error(
        403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.",
        R"([{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.contacts.write"]}}])");
  if (status == 404) return hubspot_error(404, "OBJECT_NOT_FOUND", "resource not found");
  if (status >= 520) return net::Response::with(status, "text/html", "<html><body>error</body></html>");
  return hubspot_error(status, status >= 500 ? "INTERNAL_ERROR" : "VALIDATION_ERROR", "Something went wrong.");
}

HubSpotPath read_hubspot_path(std::string_view path) {
  auto pieces = pieces_of(path);
  HubSpotPath found;
  using Kind = HubSpotPath::Kind;
  bool dated = false;
  if (pieces.size() == 3 && pieces[0] == "account-info" && is_version(pieces[1], found.is_dated) &&
      pieces[2] == "details") {
    found.kind = Kind::account;
    return found;
  }
  if (pieces.size() == 3 && pieces[0] == "oauth" && pieces[2] == "token" &&
      (pieces[1] == "v1" || is_version(pieces[1], found.is_dated))) {
    found.kind = Kind::token;
    return found;
  }
  if (pieces.size() < 4 || pieces[0] != "crm") return found;
  // /crm/v3/objects/contacts/… and /crm/objects/2026-09/contacts/…
  bool const version_first = is_version(pieces[1], dated);
  if (!version_first && !is_version(pieces[2], dated)) return found;
  if (version_first == dated) return found;  // each family has its own order
  auto const& what = version_first ? pieces[2] : pieces[1];
  found.is_dated = dated;
  found.type = pieces[3];
  found.rest.assign(pieces.begin() + 4, pieces.end());
  if (what == "objects") found.kind = Kind::objects;
  if (what == "properties") found.kind = Kind::properties;
  // Links belong to v4 in the numbered family, and nothing else does.
  bool const is_link = found.rest.size() > 1 && found.rest[1] == "associations";
  if (version_first && is_link != (pieces[1] == "v4")) found.kind = Kind::unknown;
  return found;
}

}  // namespace sim::crm
