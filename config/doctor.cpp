#include "config/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace config {
namespace {

std::string_view name_of(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::warn:
      return "warn";
    case Status::fail:
      return "fail";
  }
  return "fail";
}

bool is_plain_http(std::string_view url) {
  return url.starts_with("http://");
}

/// What serve starts with, and an operator should still know.
void advise(Settings const& s, std::vector<ProbeResult>& checks) {
  auto const say = [&checks](std::string name, Status status, std::string detail, std::string fix = {}) {
    checks.push_back({std::move(name), status, std::move(detail), std::move(fix)});
  };
  if (s.elevenlabs.api_key.empty())
    say("ELEVENLABS_API_KEY", Status::warn,
        "not set: agents are used as public, and ended calls are not completed from ElevenLabs",
        "set ELEVENLABS_API_KEY or ELEVENLABS_API_KEY_FILE");
  if (s.elevenlabs.webhook_secret.empty())
    say("ELEVENLABS_WEBHOOK_SECRET", Status::warn, "not set: post-call webhooks are refused",
        "copy the webhook's secret from ElevenLabs and set ELEVENLABS_WEBHOOK_SECRET");
  if (s.vault.integration_encryption_key.empty())
    say("INTEGRATION_ENCRYPTION_KEY", Status::warn, "not set: CRM credentials of tenants cannot be stored",
        "set what switchboard generate-encryption-key prints");
  if (!s.vault.api_key_encryption_secret.empty())
    say("API_KEY_ENCRYPTION_SECRET", Status::warn, "set: credentials in the legacy format are still read",
        "remove it when no legacy credentials are left");
  for (auto const& [name, url] : {std::pair{"TWILIO_API_BASE_URL", s.twilio.api_base_url},
                                  std::pair{"ELEVENLABS_API_BASE_URL", s.elevenlabs.api_base_url}}) {
    if (is_plain_http(url))
      say(name, Status::warn, "plain http: credentials travel in clear", "use https:// outside tests");
  }
  if (is_plain_http(s.http.public_base_url))
    say("PUBLIC_BASE_URL", Status::warn, "names this machine: Twilio itself cannot call it",
        "use the public https:// address");
  if (s.ops.address != "127.0.0.1" && s.ops.address != "::1")
    say("SWITCHBOARD_OPS_ADDRESS", Status::warn, s.ops.address + ": metrics are open to whoever reaches this address",
        "use 127.0.0.1, or a private network");
  auto const database =
      s.database_url.empty() ? "private PostgreSQL under " + s.data_dir.string() : std::string{"DATABASE_URL"};
  say("Database setting", Status::ok, database);
}

}  // namespace

Status Report::verdict() const {
  auto const worst = std::ranges::max_element(checks, {}, &ProbeResult::status);
  return worst == checks.end() ? Status::ok : worst->status;
}

Report diagnose(Outcome const& outcome, std::vector<ProbeResult> probes) {
  Report report;
  for (auto const& fault : outcome.faults) report.checks.push_back({fault.key, Status::fail, fault.problem, fault.fix});
  for (auto const& warning : outcome.warnings)
    report.checks.push_back({warning.key, Status::warn, warning.problem, warning.fix});
  if (outcome.faults.empty()) {
    report.checks.push_back({"Settings", Status::ok, "complete and consistent", ""});
    advise(outcome.settings, report.checks);
  }
  std::ranges::move(probes, std::back_inserter(report.checks));
  return report;
}

std::string to_text(Report const& report) {
  std::string text;
  auto const count = [&report](Status status) {
    return std::ranges::count(report.checks, status, &ProbeResult::status);
  };
  for (auto const& check : report.checks) {
    text += fmt::format("{:<4}  {}: {}\n", name_of(check.status), check.name, check.detail);
    if (!check.fix.empty()) text += fmt::format("      fix: {}\n", check.fix);
  }
  text += fmt::format("\n{} ok, {} to look at, {} to repair\n", count(Status::ok), count(Status::warn),
                      count(Status::fail));
  return text;
}

std::string to_json(Report const& report) {
  std::string json = fmt::format(R"({{"status":"{}","checks":[)", name_of(report.verdict()));
  for (auto const& check : report.checks) {
    if (!json.ends_with('[')) json += ',';
    json += R"({"name":)";
    base::append_json_string(json, check.name);
    json += fmt::format(R"(,"status":"{}","detail":)", name_of(check.status));
    base::append_json_string(json, check.detail);
    json += R"(,"fix":)";
    base::append_json_string(json, check.fix);
    json += '}';
  }
  return json + "]}";
}

}  // namespace config
