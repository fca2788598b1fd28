#include "gateway/twilio/rest.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "twiml/answers.h"

namespace gateway::twilio {
namespace {

// Error codes of Twilio's catalogue.
constexpr int call_not_in_progress = 21220;
constexpr int not_found = 20404;
constexpr int too_many_requests = 20429;

int error_code(std::string const& body) {
  auto const json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return 0;
  auto const code = json.find("code");
  return code != json.end() && code->is_number_integer() ? code->get<int>() : 0;
}

base::Fault fault_of(unsigned status, int code) {
  if (code == call_not_in_progress) return base::Fault::conflict;
  if (code == not_found || status == 404) return base::Fault::not_found;
  if (status == 401 || status == 403) return base::Fault::refused;
  if (code == too_many_requests || status == 429 || status >= 500) return base::Fault::unavailable;
  return base::Fault::protocol;
}

bool is_over(base::Fault fault) {
  return fault == base::Fault::conflict || fault == base::Fault::not_found;
}

}  // namespace

Rest::Rest(net::HttpClient& http, Accounts const& accounts, std::string api_base, std::string public_base,
           base::Metrics& metrics, base::Log log)
    : http_{http},
      accounts_{accounts},
      api_base_{std::move(api_base)},
      public_base_{std::move(public_base)},
      log_{std::move(log)},
      failures_{metrics.counter("switchboard_twilio_rest_failures_total",
                                "Requests to Twilio that did not do what was asked.")} {}

base::Async<base::Result<std::string>> Rest::request(std::string method, CarrierCall call, net::Form form) {
  auto const tokens = accounts_.tokens(call.account);
  if (tokens.empty()) co_return base::fail(base::Fault::refused, "no credentials for this account");
  net::HttpCall http;
  http.method = std::move(method);
  http.url = api_base_ + "/2010-04-01/Accounts/" + call.account.text() + "/Calls/" + call.sid.text() + ".json";
  http.basic_auth.emplace(call.account.text(), tokens.front());
  http.timeout = std::chrono::milliseconds{5000};
  if (!form.empty()) {
    http.headers.add("Content-Type", "application/x-www-form-urlencoded");
    http.body = net::encode_form(form);
  }
  auto answer = co_await http_.send(std::move(http));
  if (!answer) {
    failures_.Increment();
    co_return std::unexpected{answer.error()};
  }
  if (answer->status >= 200 && answer->status < 300) co_return std::move(answer->body);
  auto const code = error_code(answer->body);
  auto const fault = fault_of(answer->status, code);
  if (!is_over(fault)) failures_.Increment();
  co_return base::fail(fault, "Twilio answered " + std::to_string(answer->status) + ", code " + std::to_string(code));
}

base::Async<base::Result<>> Rest::hang_up(CarrierCall call) {
  net::Form form{{"Status", "completed"}};
  auto answer = co_await request("POST", std::move(call), std::move(form));
  if (answer || is_over(answer.error().fault)) co_return base::Result<>{};
  co_return std::unexpected{answer.error()};
}

base::Async<base::Result<>> Rest::transfer(CarrierCall call, std::string number, std::string caller_id) {
  auto const document = twiml::forward_to(number, public_base_ + "/api/twilio/voice-resume?after=dial", caller_id);
  if (!document) co_return std::unexpected{document.error()};
  net::Form form{{"Twiml", document->xml()}};
  auto answer = co_await request("POST", std::move(call), std::move(form));
  if (!answer) co_return std::unexpected{answer.error()};
  co_return base::Result<>{};
}

base::Async<base::Result<CarrierFacts>> Rest::look_up(CarrierCall call) {
  auto answer = co_await request("GET", std::move(call), {});
  if (!answer) co_return std::unexpected{answer.error()};
  auto const json = nlohmann::json::parse(*answer, nullptr, false);
  if (!json.is_object() || !json.contains("status") || !json["status"].is_string())
    co_return base::fail(base::Fault::protocol, "Twilio's call resource has no status");
  auto const status = crm::call_status_from(json["status"].get<std::string>());
  if (!status) co_return base::fail(base::Fault::protocol, "Twilio's call resource has an unknown status");
  CarrierFacts facts{*status, std::nullopt};
  if (auto const duration = json.find("duration"); duration != json.end() && duration->is_string()) {
    auto const text = duration->get<std::string>();
    long long value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && value >= 0) facts.duration = std::chrono::seconds{value};
  }
  co_return facts;
}

}  // namespace gateway::twilio
