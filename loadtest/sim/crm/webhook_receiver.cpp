#include "loadtest/sim/crm/webhook_receiver.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "gateway/base/base64.h"

namespace sim::crm {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t tolerance_seconds = 300;  // of the reference library, either way

std::string key_of(std::string_view secret) {
  constexpr std::string_view prefix = "whsec_";
  constexpr std::size_t shortest = 24;
  std::array<std::uint8_t, 64> bytes{};
  base::Result<std::size_t> size = 0;
  if (secret.starts_with(prefix)) size = base::decode_base64(secret.substr(prefix.size()), bytes);
  if (!size || *size < shortest) throw std::runtime_error{"a webhook secret is whsec_ and base64 of 24 to 64 bytes"};
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*size)};
}

std::optional<std::int64_t> seconds_of(std::string_view text) {
  std::int64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

WebhookReceiver::WebhookReceiver(base::TimeSource& time, std::string_view secret) : time_{time}, key_{key_of(secret)} {}

void WebhookReceiver::add_routes(net::Router& router) {
  constexpr std::size_t largest = 256U << 10U;
  router.on("POST", "/webhook", [this](net::Request request) { return take(std::move(request)); }, largest);
  router.on("GET", "/received", [this](net::Request) -> base::Async<net::Response> { co_return list(); });
  router.on("DELETE", "/received", [this](net::Request) -> base::Async<net::Response> {
    received_.clear();
    places_.clear();
    refused_.clear();
    co_return net::Response::empty(204);
  });
  router.on("POST", "/faults",
            [this](net::Request request) -> base::Async<net::Response> { co_return take_fault(request); });
}

unsigned WebhookReceiver::repeats() const {
  unsigned repeats = 0;
  for (auto const& event : received_) repeats += event.times - 1;
  return repeats;
}

base::Async<net::Response> WebhookReceiver::take(net::Request request) {
  if (faults_.empty()) co_return judge(request);
  auto const fault = faults_.front();
  if (--faults_.front().times == 0) faults_.pop_front();
  if (fault.keeps) (void)judge(request);
  auto const waited = co_await time_.wait(fault.delay);
  (void)waited;
  auto answer = fault.status == 0 ? net::Response::none() : net::Response::text(fault.status, "as told");
  if (fault.retry_after) answer.headers.add("Retry-After", std::to_string(*fault.retry_after));
  co_return answer;
}

net::Response WebhookReceiver::judge(net::Request const& request) {
  auto const id = request.headers.find("webhook-id");
  if (id.empty() || request.headers.find("webhook-signature").empty()) return refuse(400, "missing header");
  if (id.find('.') != std::string_view::npos) return refuse(400, "a dot in webhook-id");
  auto const sent = seconds_of(request.headers.find("webhook-timestamp"));
  if (!sent) return refuse(400, "webhook-timestamp is no number");
  auto const now = std::chrono::duration_cast<std::chrono::seconds>(time_.wall().time_since_epoch()).count();
  if (*sent < now - tolerance_seconds) return refuse(400, "too old");
  if (*sent > now + tolerance_seconds) return refuse(400, "too new");
  if (!is_signed(request)) return refuse(401, "no matching signature");
  if (!request.headers.find("content-type").starts_with("application/json")) return refuse(415, "not JSON");
  auto const body = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  bool const complete = body.is_object() && body.contains("type") && body["type"].is_string() &&
                        body.contains("timestamp") && body["timestamp"].is_string() && body.contains("data") &&
                        body["data"].is_object();
  if (!complete) return refuse(422, "the body is not type, timestamp and data");
  return keep(request, body["type"].get<std::string>());
}

bool WebhookReceiver::is_signed(net::Request const& request) const {
  auto const id = request.headers.find("webhook-id");
  std::string text{id};
  text.append(".").append(request.headers.find("webhook-timestamp")).append(".").append(request.body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<unsigned char const*>(text.data()),
       text.size(), digest.data(), &length);
  std::string expected = "v1,";
  base::append_base64(expected, {digest.data(), length});
  // Several signatures may stand side by side while a secret is being changed.
  std::string const given = " " + std::string{request.headers.find("webhook-signature")} + " ";
  return given.find(" " + expected + " ") != std::string::npos;
}

net::Response WebhookReceiver::refuse(unsigned status, std::string reason) {
  ++refused_[reason];
  return net::Response::text(status, std::move(reason));
}

net::Response WebhookReceiver::keep(net::Request const& request, std::string type) {
  auto const id = request.headers.find("webhook-id");
  auto const place = places_.find(id);
  if (place == places_.end()) {
    places_.emplace(id, received_.size());
    received_.push_back({std::string{id}, std::move(type), request.body, time_.now()});
    return net::Response::empty(204);
  }
  auto& known = received_[place->second];
  if (known.body != request.body) return refuse(409, "another body under the same webhook-id");
  ++known.times;
  return net::Response::empty(204);
}

net::Response WebhookReceiver::list() const {
  auto events = Json::array();
  for (auto const& event : received_) {
    events.push_back({{"id", event.id},
                      {"type", event.type},
                      {"times", event.times},
                      {"body", Json::parse(event.body, nullptr, /*allow_exceptions=*/false)}});
  }
  return net::Response::json(200, Json{{"received", events}, {"repeats", repeats()}, {"refused", refused_}}.dump(
                                      -1, ' ', false, Json::error_handler_t::replace));
}

net::Response WebhookReceiver::take_fault(net::Request const& request) {
  auto const json = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return net::Response::text(400, "a fault is a JSON object");
  WebhookFault fault;
  for (auto const& [name, value] : json.items()) {
    if (name == "keeps" && value.is_boolean())
      fault.keeps = value.get<bool>();
    else if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 1'000'000)
      return net::Response::text(400, "not understood: " + name);
    else if (name == "status")
      fault.status = value.get<unsigned>();
    else if (name == "times")
      fault.times = value.get<unsigned>();
    else if (name == "retry_after")
      fault.retry_after = value.get<unsigned>();
    else if (name == "delay_ms")
      fault.delay = std::chrono::milliseconds{value.get<unsigned>()};
    else
      return net::Response::text(400, "not understood: " + name);
  }
  if (fault.times == 0 || (fault.status != 0 && (fault.status < 200 || fault.status > 599)))
    return net::Response::text(400, "times is at least 1, status 0 or an HTTP status");
  inject(fault);
  return net::Response::empty(204);
}

}  // namespace sim::crm
