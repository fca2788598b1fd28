#include "gateway/twilio/sms.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crm/outbox/http_fault.h"
#include "crm/outbox/retry_after.h"
#include "gateway/net/form.h"
#include "gateway/twilio/timestamp.h"

namespace gateway::twilio {
namespace {

using base::Async;
using crm::Delivered;
using crm::DeliveryFault;
using crm::Receipt;
using std::chrono::milliseconds;
using Json = nlohmann::json;
using Kind = DeliveryFault::Kind;

constexpr milliseconds longest_wait{10'000};
constexpr int most_pages = 10;  // of a hundred messages to one person

// Error codes of Twilio's catalogue.
constexpr int permission_denied = 20003;
constexpr int account_not_active = 20005;
constexpr int too_many_requests = 20429;
constexpr int opted_out = 21610;
constexpr int queue_is_full = 21611;

std::string text_of(Json const& json, char const* name) {
  auto const found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

Json parse(std::string const& body) {
  return Json::parse(body, nullptr, /*allow_exceptions=*/false);
}

int code_of(std::string const& body) {
  auto const json = parse(body);
  if (!json.is_object()) return 0;
  auto const code = json.find("code");
  return code != json.end() && code->is_number_integer() ? code->get<int>() : 0;
}

std::unexpected<DeliveryFault> fault(Kind kind, std::string detail) {
  return std::unexpected{DeliveryFault{.kind = kind, .detail = std::move(detail)}};
}

}  // namespace

DeliveryFault sms_fault(net::Response const& answer, crm::Wall now) {
  auto const code = code_of(answer.body);
  DeliveryFault found{.kind = Kind::rejected,
                      .detail = "Twilio answered " + std::to_string(answer.status) + ", code " + std::to_string(code),
                      .http_status = static_cast<int>(answer.status),
                      .request_id = std::string{answer.headers.find("twilio-request-id")}};
  if (answer.status == 401 || code == permission_denied || code == account_not_active) found.kind = Kind::needs_reauth;
  if (answer.status >= 500) found.kind = Kind::ambiguous;  // it may have been taken before they failed
  if (code == opted_out) found.detail += ": the recipient has answered STOP and gets no more messages";
  if (answer.status == 429 || code == too_many_requests || code == queue_is_full) {
    found.kind = Kind::rate_limited;
    found.retry_after = crm::parse_retry_after(answer.headers.find("retry-after"), now);
  }
  return found;
}

/// An answer is one of 2xx here.
Async<Delivered<net::Response>> Sms::ask(net::HttpCall call, base::AccountSid account, base::Instant deadline) {
  auto const tokens = accounts_.tokens(account);
  if (tokens.empty()) co_return fault(Kind::needs_reauth, "no credentials for this account");
  auto const left = std::chrono::duration_cast<milliseconds>(deadline - time_.now());
  if (left <= milliseconds{0}) co_return fault(Kind::not_sent, "no time was left");
  call.timeout = std::min(left, longest_wait);
  call.basic_auth.emplace(account.text(), tokens.front());
  auto answer = co_await http_.send(std::move(call));
  if (!answer) co_return std::unexpected{crm::fault_of(answer.error())};
  if (answer->status < 200 || answer->status >= 300) co_return std::unexpected{sms_fault(*answer, time_.wall())};
  co_return std::move(*answer);
}

Async<Delivered<Receipt>> Sms::send(crm::SmsText message, base::Instant deadline) {
  auto const account = message.account.value_or(accounts_.first());
  net::Form form{{"To", message.to}, {"From", message.from}, {"Body", message.body}};
  if (!status_callback_.empty())
    form.emplace_back("StatusCallback", status_callback_ + "?tenant=" + net::percent_encode(message.tenant.text()) +
                                            "&message=" + net::percent_encode(message.id));
  net::HttpCall call;
  call.method = "POST";
  call.url = api_base_ + "/2010-04-01/Accounts/" + account.text() + "/Messages.json";
  call.headers.add("Content-Type", "application/x-www-form-urlencoded");
  call.body = net::encode_form(form);
  auto const answer = co_await ask(std::move(call), account, deadline);
  if (!answer) co_return std::unexpected{answer.error()};
  auto const json = parse(answer->body);
  auto const sid = json.is_object() ? text_of(json, "sid") : std::string{};
  if (sid.empty()) co_return fault(Kind::ambiguous, "Twilio's answer cannot be read");
  co_return Receipt{.remote_id = sid,
                    .created = true,
                    .http_status = static_cast<int>(answer->status),
                    .request_id = std::string{answer->headers.find("twilio-request-id")}};
}

Async<Delivered<std::vector<std::string>>> Sms::sent_since(crm::SmsText message, crm::Wall since,
                                                           base::Instant deadline) {
  auto const account = message.account.value_or(accounts_.first());
  // Not by DateSent: a message that is still queued has none.
  auto next = "/2010-04-01/Accounts/" + account.text() +
              "/Messages.json?PageSize=100&To=" + net::percent_encode(message.to) +
              "&From=" + net::percent_encode(message.from);
  std::vector<std::string> found;
  for (int pages = 0; pages < most_pages && !next.empty(); ++pages) {
    auto const page_text = co_await page(std::move(next), account, deadline);
    next.clear();
    if (!page_text) co_return std::unexpected{page_text.error()};
    auto const json = parse(*page_text);
    if (!json.is_object() || !json.contains("messages") || !json["messages"].is_array())
      co_return fault(Kind::unavailable, "Twilio's list of messages cannot be read");
    next = text_of(json, "next_page_uri");
    for (auto const& item : json["messages"]) {
      if (!item.is_object()) continue;
      auto const created = parse_timestamp(text_of(item, "date_created"));
      if (created && *created < since) next.clear();  // newest first: the rest is older
      bool const is_alike = text_of(item, "to") == message.to && text_of(item, "from") == message.from &&
                            text_of(item, "body") == message.body && text_of(item, "direction") == "outbound-api";
      if (is_alike && (!created || *created >= since)) found.push_back(text_of(item, "sid"));
    }
  }
  std::ranges::reverse(found);
  co_return found;
}

Async<Delivered<std::string>> Sms::page(std::string path, base::AccountSid account, base::Instant deadline) {
  net::HttpCall call;
  call.url = api_base_ + path;
  auto answer = co_await ask(std::move(call), std::move(account), deadline);
  if (!answer) co_return std::unexpected{answer.error()};
  co_return std::move(answer->body);
}

}  // namespace gateway::twilio
