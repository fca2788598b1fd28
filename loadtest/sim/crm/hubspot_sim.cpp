#include "loadtest/sim/crm/hubspot_sim.h"

#include <nlohmann/json.hpp>

#include "gateway/base/ids.h"
#include "gateway/net/form.h"
#include "loadtest/sim/crm/hubspot_answers.h"

namespace sim::crm {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr auto token_life = 1800s;
constexpr std::size_t keep_seen = 20'000;

bool fits(HubSpotFault const& fault, net::Request const& request) {
  return (fault.method.empty() || fault.method == request.method) &&
         (fault.path_contains.empty() || request.target.find(fault.path_contains) != std::string::npos);
}

/// The scope that a path needs: that of contacts covers calls, meetings and notes.
std::string scope_for(HubSpotPath const& path, net::Request const& request) {
  bool const is_read = request.method == "GET" || path.is_search();
  if (path.kind == HubSpotPath::Kind::properties) return is_read ? "" : "crm.schemas.contacts.write";
  if (path.kind != HubSpotPath::Kind::objects) return "";
  std::string const things = path.type == "leads" ? "crm.objects.leads" : "crm.objects.contacts";
  return things + (is_read ? ".read" : ".write");
}

net::Response missing_scope(std::string const& scope) {
  Json const context{{"requiredGranularScopes", Json::array({scope})}};
  Json const errors =
      Json::array({{{"message", "One or more of the following scopes are required."}, {"context", context}}});
  return hubspot_error(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.",
                       errors.dump());
}

net::Response unauthorized(std::string_view category, std::string_view message) {
  auto answer = hubspot_error(401, category, message);
  answer.headers.add("X-HubSpot-Auth-Failure", "401 Unauthorized");
  return answer;
}

void forget_before(std::deque<base::Instant>& window, base::Instant start) {
  while (!window.empty() && window.front() <= start) window.pop_front();
}

}  // namespace

HubSpotSim::HubSpotSim(asio::any_io_executor executor, base::TimeSource& time, Options options)
    : time_{time},
      options_{std::move(options)},
      store_{time},
      server_{executor, time, [this](net::Request const& request) { return answer(request); }} {}

std::set<std::string> HubSpotSim::all_scopes() {
  return {"oauth",
          "crm.objects.contacts.read",
          "crm.objects.contacts.write",
          "crm.objects.leads.read",
          "crm.objects.leads.write",
          "crm.schemas.contacts.write"};
}

std::uint16_t HubSpotSim::listen(std::uint16_t port) {
  port_ = server_.listen(port);
  return port_;
}

std::optional<HubSpotFault> HubSpotSim::next_fault(net::Request const& request) {
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (!fits(*fault, request)) continue;
    auto found = *fault;
    bool const is_last = fault->times == 1;
    if (fault->times > 0) --fault->times;
    if (is_last) faults_.erase(fault);
    return found;
  }
  return on_request ? on_request(request) : std::nullopt;
}

WireAnswer HubSpotSim::answer(net::Request const& request) {
  using Kind = HubSpotFault::Kind;
  auto const fault = next_fault(request);
  WireAnswer out;
  if (fault && fault->kind == Kind::cut_before)
    out.cut_after = 0;
  else if (fault && fault->kind == Kind::status)
    out.response = hubspot_status(fault->status, fault->policy);
  else if (fault && fault->kind == Kind::expired_token)
    out.response =
        unauthorized("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 7 second(s) ago.");
  else
    out.response = judge(request);
  Seen seen{request.method, request.target, std::string{request.headers.find("Authorization")}, request.body,
            out.response.status};
  if (fault && fault->kind == Kind::cut_after) out.cut_after = fault->bytes;
  if (fault && fault->kind == Kind::truncated) out.response.body.resize(out.response.body.size() / 2);
  if (fault && fault->kind == Kind::html)
    out.response = net::Response::with(out.response.status, "text/html", "<html><body>Please wait</body></html>");
  if (fault) out.delay = fault->delay;
  if (on_answer) on_answer(seen);
  seen_.push_back(std::move(seen));
  if (seen_.size() > keep_seen) seen_.pop_front();
  return out;
}

net::Response HubSpotSim::judge(net::Request const& request) {
  auto const path = read_hubspot_path(request.path());
  bool const about_records = path.kind == HubSpotPath::Kind::objects || path.kind == HubSpotPath::Kind::properties;
  if (path.kind == HubSpotPath::Kind::unknown || (about_records && !store_.has_type(path.type)))
    return hubspot_error(404, "OBJECT_NOT_FOUND", "resource not found");
  if (path.kind == HubSpotPath::Kind::token) return token_answer(request);
  std::string token;
  if (auto refused = check_token(request, token)) return *refused;
  if (auto refused = check_rate(token, path.is_search())) return *refused;
  net::Response response;
  auto const scope = scope_for(path, request);
  if (!scope.empty() && !options_.tokens.at(token).scopes.contains(scope)) {
    response = missing_scope(scope);
  } else if (path.type == "leads" && !options_.has_leads) {
    response = hubspot_error(403, "FORBIDDEN", "This account does not have access to leads.");
  } else if (path.kind == HubSpotPath::Kind::account) {
    auto const offset = std::chrono::duration_cast<std::chrono::milliseconds>(options_.utc_offset).count();
    response = net::Response::json(200, Json{{"portalId", options_.portal_id},
                                             {"timeZone", "America/New_York"},
                                             {"accountType", "STANDARD"},
                                             {"companyCurrency", "USD"},
                                             {"uiDomain", "app.hubspot.com"},
                                             {"dataHostingLocation", "na1"},
                                             {"utcOffset", "-05:00"},
                                             {"utcOffsetMilliseconds", offset}}
                                            .dump());
  } else if (path.kind == HubSpotPath::Kind::properties) {
    response = answer_properties(store_, path, request);
  } else {
    response = answer_objects(store_, path, request, time_.wall());
  }
  if (!path.is_search()) add_rate_headers(token, response);
  return response;
}

std::optional<net::Response> HubSpotSim::check_token(net::Request const& request, std::string& token) {
  auto const header = request.headers.find("Authorization");
  if (header.starts_with("Bearer ")) token = header.substr(7);
  auto const known = options_.tokens.find(token);
  if (known == options_.tokens.end())
    return unauthorized("INVALID_AUTHENTICATION",
                        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can "
                        "find more details at https://developers.hubspot.com/");
  if (known->second.expires && *known->second.expires <= time_.wall())
    return unauthorized("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 7 second(s) ago.");
  return {};
}

/// Also what is refused later has been counted.
std::optional<net::Response> HubSpotSim::check_rate(std::string const& token, bool is_search) {
  auto& usage = usage_[token];
  auto const now = time_.now();
  auto const today =
      std::chrono::floor<std::chrono::days>(time_.wall() + options_.utc_offset).time_since_epoch().count();
  if (usage.day != today) usage.today = 0;
  usage.day = today;
  if (usage.today >= options_.daily) return hubspot_limit("DAILY");
  forget_before(usage.window, now - 10s);
  if (usage.window.size() >= options_.burst) return hubspot_limit("TEN_SECONDLY_ROLLING");
  if (is_search) {
    forget_before(searches_, now - 1s);
    if (searches_.size() >= options_.searches_a_second) return hubspot_limit("SECONDLY");
    searches_.push_back(now);
  }
  usage.window.push_back(now);
  ++usage.today;
  return {};
}

void HubSpotSim::add_rate_headers(std::string const& token, net::Response& response) {
  auto const& usage = usage_[token];
  auto& headers = response.headers;
  if (!options_.tokens.at(token).expires) {  // OAuth has no daily limit
    headers.add("X-HubSpot-RateLimit-Daily", std::to_string(options_.daily));
    headers.add("X-HubSpot-RateLimit-Daily-Remaining", std::to_string(options_.daily - usage.today));
  }
  headers.add("X-HubSpot-RateLimit-Interval-Milliseconds", "10000");
  headers.add("X-HubSpot-RateLimit-Max", std::to_string(options_.burst));
  headers.add("X-HubSpot-RateLimit-Remaining", std::to_string(options_.burst - usage.window.size()));
}

net::Response HubSpotSim::token_answer(net::Request const& request) {
  if (request.method != "POST") return hubspot_error(405, "METHOD_NOT_ALLOWED", "method not allowed");
  if (!request.query().empty()) return hubspot_error(400, "VALIDATION_ERROR", "secrets go into the body");
  auto const form = net::decode_form(request.body);
  auto const field = [&form](std::string_view name) {
    return form ? std::string{net::find(*form, name)} : std::string{};
  };
  auto const refresh = field("refresh_token");
  if (field("grant_type") != "refresh_token" || !options_.refresh_tokens.contains(refresh)) {
    auto const why = "refresh token is invalid, expired or revoked";
    return net::Response::json(
        400,
        Json{{"error", "invalid_grant"}, {"error_description", why}, {"status", "BAD_REFRESH_TOKEN"}, {"message", why}}
            .dump());
  }
  auto const token = base::new_id("oauth");
  options_.tokens[token] = {all_scopes(), time_.wall() + token_life};
  return net::Response::json(200, Json{{"token_type", "bearer"},
                                       {"access_token", token},
                                       {"refresh_token", refresh},
                                       {"expires_in", token_life.count()},
                                       {"hub_id", options_.portal_id},
                                       {"user_id", 1},
                                       {"scopes", all_scopes()},
                                       {"token_use", "access_token"}}
                                      .dump());
}

}  // namespace sim::crm
