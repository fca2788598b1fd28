#include "loadtest/sim/twilio/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "gateway/net/form.h"
#include "loadtest/sim/twilio/plan_json.h"
#include "loadtest/sim/twilio/rest_json.h"

namespace sim::twilio {
namespace {

using Json = nlohmann::json;

net::Response refusal(unsigned status, std::string_view what) {
  return net::error_response(status, "SIMULATOR", what);
}

}  // namespace

net::Response Control::answer(net::Request const& request) {
  auto const path = request.path();
  bool const writes = request.method == "POST";
  if (writes && !request.headers.find("content-type").starts_with("application/json"))
    return refusal(415, "send application/json");
  if (path == "/sim/calls" && writes) return start_call(request);
  if (path == "/sim/numbers" && writes) return add_number(request);
  if (path == "/sim/faults" && writes) {
    auto fault = fault_from_json(request.body);
    if (!fault) return refusal(400, fault.error().detail);
    rest_.inject(std::move(*fault));
    return net::Response::empty(204);
  }
  if (path == "/sim/health")
    return net::Response::json(
        200, fmt::format(R"({{"live_calls":{},"rest_requests":{}}})", calls_.live_calls(), rest_.requests()));
  static constexpr std::string_view one_call = "/sim/calls/";
  if (path.starts_with(one_call)) return on_call(path.substr(one_call.size()), request);
  return refusal(404, "there is nothing at this path");
}

net::Response Control::start_call(net::Request const& request) {
  auto plan = plan_from_json(request.body);
  if (!plan) return refusal(400, plan.error().detail);
  if (plan->voice_url.empty()) {
    auto const& numbers = rest_.numbers();
    auto const called =
        std::find_if(numbers.begin(), numbers.end(), [&](auto const& n) { return n.phone_number == plan->to; });
    if (called == numbers.end()) return refusal(400, "no voice_url, and the number called is not one of the account's");
    auto const field = [&](char const* name) {
      auto const found = called->fields.find(name);
      return found == called->fields.end() ? std::string{} : found->second;
    };
    plan->voice_url = field("voice_url");
    if (plan->fallback_url.empty()) plan->fallback_url = field("voice_fallback_url");
    if (plan->status_callback.empty()) plan->status_callback = field("status_callback");
    if (plan->voice_url.empty()) return refusal(400, "the number called has no VoiceUrl");
  }
  auto const entry = calls_.start(std::move(*plan));
  return net::Response::json(201, "{\"sid\":\"" + entry->record.sid + "\"}");
}

net::Response Control::add_number(net::Request const& request) {
  auto const json = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("phone_number") || !json["phone_number"].is_string())
    return refusal(400, "phone_number is missing");
  auto& number = rest_.add_number(json["phone_number"].get<std::string>());
  for (auto const& [name, value] : json.items())
    if (value.is_string() && name != "phone_number") number.fields[name] = value.get<std::string>();
  return net::Response::json(201, "{\"sid\":\"" + number.sid + "\"}");
}

net::Response Control::follow(CallEntry const& entry, std::string_view query) const {
  auto const form = net::decode_form(query);
  std::size_t since = 0;
  if (form) {
    auto const text = net::find(*form, "since");
    (void)std::from_chars(text.data(), text.data() + text.size(), since);
  }
  std::string events;
  for (auto i = since; i < entry.events.size(); ++i)
    events.append(events.empty() ? "" : ",").append(to_json(entry.events[i]));
  bool const done = entry.result.has_value();
  return net::Response::json(
      200, fmt::format(R"({{"events":[{}],"next":{},"done":{},"result":{}}})", events,
                       std::max(since, entry.events.size()), done, done ? to_json(*entry.result) : "null"));
}

net::Response Control::on_call(std::string_view rest_of_path, net::Request const& request) {
  auto const sid = rest_of_path.substr(0, rest_of_path.find('/'));
  auto const part = rest_of_path.substr(sid.size());
  auto const entry = calls_.find(sid);
  if (!entry) return refusal(404, "no such call");
  if (part.empty() && request.method == "GET") return follow(*entry, request.query());
  if (part.empty() && request.method == "DELETE") {
    if (!entry->live) return refusal(409, "the call is over");
    entry->live->hang_up();
    return net::Response::empty(204);
  }
  if (part == "/heard.wav") {
    if (!entry->result) return refusal(409, "the call is not over");
    return net::Response::with(200, "audio/x-wav", wav_of(entry->result->heard));
  }
  if (part == "/dtmf" && request.method == "POST") {
    auto const json = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
    bool const fits = json.is_object() && json.contains("keys") && json["keys"].is_string();
    if (!fits) return refusal(400, "keys is missing");
    if (!entry->live) return refusal(409, "the call is over");
    entry->live->press(json["keys"].get<std::string>());
    return net::Response::empty(204);
  }
  return refusal(404, "there is nothing at this path");
}

}  // namespace sim::twilio
