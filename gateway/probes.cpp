#include "gateway/probes.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "crm/database.h"
#include "crm/routing.h"
#include "gateway/net/http_client.h"
#include "gateway/net/tls.h"
#include "gateway/net/url.h"

namespace gateway {
namespace {

using config::ProbeResult;
using config::Status;

std::vector<ProbeResult> probe_database(config::Settings const& settings) {
  try {
    auto const database = crm::open_database(settings, crm::pg::Purpose::command);
    std::size_t numbers = 0;
    crm::run_with_pool(database, [&](crm::pg::Pool& pool, base::TimeSource& time) -> base::Async<> {
      base::Metrics metrics;
      crm::RoutingFeed routing{pool, time, base::Log::silent(), metrics};
      auto loaded = co_await routing.refresh(time.now() + std::chrono::seconds{10});
      if (loaded) numbers = routing.table()->size();
    });
    ProbeResult reachable{"Database", Status::ok, database.server ? "private PostgreSQL runs" : "DATABASE_URL answers",
                          ""};
    ProbeResult routes{"Phone numbers", Status::ok, std::to_string(numbers) + " answered by an agent", ""};
    if (numbers == 0) {
      routes.status = Status::warn;
      routes.fix =
          "switchboard tenants add, then switchboard agents add --tenant … --elevenlabs-agent-id … --number +1…";
    }
    return {reachable, routes};
  } catch (std::exception const& error) {
    return {{"Database", Status::fail, error.what(),
             "Start the server DATABASE_URL names, or leave it empty for a private one."}};
  }
}

ProbeResult probe_certificate(config::Settings const& settings) {
  std::string const name = "TLS certificate";
  try {
    net::TlsServer const server{settings.http.tls_cert, settings.http.tls_key};
    auto const left = server.expires() - std::chrono::system_clock::now();
    auto const until = base::iso8601(server.expires());
    if (left <= std::chrono::seconds{0}) return {name, Status::fail, "ended " + until, "Renew it."};
    auto const host = net::parse_url(settings.http.public_base_url)->host;
    if (!server.is_for(host))
      return {name, Status::fail, "is not for " + host, "Get one for the name in PUBLIC_BASE_URL."};
    if (left < std::chrono::days{14})
      return {name, Status::warn, "ends " + until, "Renew it, then send SIGHUP to the running gateway."};
    return {name, Status::ok, "good until " + until, ""};
  } catch (std::exception const& error) {
    return {name, Status::fail, error.what(), "Name readable PEM files that belong together."};
  }
}

base::Result<net::Response> ask(config::Settings const& settings, net::HttpCall call) {
  asio::io_context loop{1};
  net::HttpClient http{settings.extra_ca};
  base::Result<net::Response> answer = base::fail(base::Fault::unavailable, "no answer");
  asio::co_spawn(
      loop, [&]() -> base::Async<> { answer = co_await http.send(std::move(call)); }, [](std::exception_ptr) {});
  loop.run();
  return answer;
}

ProbeResult judge(std::string name, base::Result<net::Response> const& answer, std::string refused_fix) {
  if (!answer)
    return {std::move(name), Status::fail, "cannot be reached (" + answer.error().detail + ")",
            "Check the network, DNS and firewall of this machine."};
  if (answer->status == 401 || answer->status == 403)
    return {std::move(name), Status::fail, "credentials refused (HTTP " + std::to_string(answer->status) + ")",
            std::move(refused_fix)};
  if (answer->status >= 400)
    return {std::move(name), Status::warn, "answered HTTP " + std::to_string(answer->status), "Try again later."};
  return {std::move(name), Status::ok, "credentials accepted", ""};
}

}  // namespace

std::vector<ProbeResult> probe(config::Settings const& settings) {
  auto results = probe_database(settings);
  bool const has_url = net::parse_url(settings.http.public_base_url).has_value();
  if (has_url && !settings.http.tls_cert.empty() && !settings.http.tls_key.empty())
    results.push_back(probe_certificate(settings));
  if (!settings.twilio.account_sid.empty() && !settings.twilio.auth_token.empty()) {
    net::HttpCall call;
    call.url = settings.twilio.api_base_url + "/2010-04-01/Accounts/" + settings.twilio.account_sid +
               "/IncomingPhoneNumbers.json?PageSize=1";
    call.basic_auth.emplace(settings.twilio.account_sid, settings.twilio.auth_token);
    results.push_back(judge("Twilio", ask(settings, std::move(call)),
                            "Copy Account SID and Auth Token anew from the Twilio console."));
  }
  if (!settings.elevenlabs.api_key.empty()) {
    net::HttpCall call;
    call.url = settings.elevenlabs.api_base_url + "/v1/user/subscription";
    call.headers.add("xi-api-key", std::string{settings.elevenlabs.api_key.reveal()});
    results.push_back(
        judge("ElevenLabs", ask(settings, std::move(call)), "Make a new API key in the ElevenLabs dashboard."));
  }
  return results;
}

}  // namespace gateway
