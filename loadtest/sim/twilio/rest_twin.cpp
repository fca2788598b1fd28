#include "loadtest/sim/twilio/rest_twin.h"

#include <algorithm>
#include <charconv>

#include "gateway/base/base64.h"
#include "loadtest/sim/twilio/rest_json.h"

namespace sim::twilio {
namespace {

constexpr std::string_view root = "/2010-04-01/Accounts/";

std::string text(net::Form const& form, std::string_view name) {
  return std::string{net::find(form, name)};
}

bool has(net::Form const& form, std::string_view name) {
  return std::any_of(form.begin(), form.end(), [&](auto const& field) { return field.first == name; });
}

std::string method_or_post(net::Form const& form, std::string_view name) {
  return net::find(form, name) == "GET" ? "GET" : "POST";
}

std::size_t number(net::Form const& form, std::string_view name, std::size_t otherwise) {
  auto const value = net::find(form, name);
  std::size_t parsed = otherwise;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  return error == std::errc{} && end == value.data() + value.size() ? parsed : otherwise;
}

bool is_dialable(std::string_view to) {
  if (to.starts_with("client:") || to.starts_with("sip:")) return true;
  if (!to.starts_with('+') || to.size() < 8 || to.size() > 16) return false;
  return std::all_of(to.begin() + 1, to.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int code_for(unsigned status) {
  if (status == 401) return 20003;
  if (status == 404) return 20404;
  if (status == 429) return 20429;
  return status == 503 ? 20503 : 20500;
}

/// "VoiceUrl" is "voice_url" in JSON.
std::string json_name(std::string_view param) {
  std::string name;
  for (char const c : param) {
    bool const upper = c >= 'A' && c <= 'Z';
    if (upper && !name.empty()) name += '_';
    name += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

}  // namespace

RestTwin::RestTwin(Exchange& exchange, CallBook& calls, CallPlan outbound)
    : exchange_{exchange}, calls_{calls}, outbound_{std::move(outbound)} {
  outbound_.direction = Direction::outbound_api;
}

IncomingNumber& RestTwin::add_number(std::string phone_number) {
  numbers_.push_back({new_sid("PN"), std::move(phone_number), {}});
  return numbers_.back();
}

bool RestTwin::is_authorized(net::Request const& request) const {
  auto const given = request.headers.find("authorization");
  auto const accepts = [&](base::Secret const& token) {
    if (token.empty()) return false;
    auto const pair = exchange_.account.sid + ":" + std::string{token.reveal()};
    std::string expected = "Basic ";
    base::append_base64(expected, {reinterpret_cast<std::uint8_t const*>(pair.data()), pair.size()});
    return given == expected;
  };
  return accepts(exchange_.account.auth_token) || accepts(exchange_.account.secondary_token);
}

base::Async<net::Response> RestTwin::answer(net::Request request) {
  ++requests_;
  auto const fault = std::find_if(faults_.begin(), faults_.end(), [&](RestFault const& candidate) {
    return request.target.find(candidate.path) != std::string::npos;
  });
  if (fault != faults_.end()) {
    auto const now = *fault;
    if (--fault->times == 0) faults_.erase(fault);
    if (now.delay.count() > 0) {
      asio::steady_timer delay{exchange_.executor, now.delay};
      (void)co_await delay.async_wait(base::quietly);
    }
    if (now.keeps) (void)carry_out(request);
    if (now.drops) co_return net::Response::none();
    auto const code = now.code != 0 ? now.code : code_for(now.status);
    if (now.status != 0) co_return rest_error(now.status, code, "injected by the simulator");
  }
  co_return carry_out(request);
}

net::Response RestTwin::carry_out(net::Request const& request) {
  if (!is_authorized(request)) return rest_error(401, 20003, "Authenticate");
  auto const form = net::decode_form(request.method == "GET" ? request.query() : std::string_view{request.body});
  if (!form) return rest_error(400, 20001, "The request is not form encoded");
  auto const own = std::string{root} + exchange_.account.sid;
  auto const path = request.path();
  if (path == own + ".json")
    return net::Response::json(200, "{\"sid\":\"" + exchange_.account.sid +
                                        "\",\"friendly_name\":\"simulated\",\"status\":\"active\",\"type\":\"Full\"}");
  if (!path.starts_with(own + "/"))
    return rest_error(404, 20404, "The requested resource " + std::string{path} + " was not found");
  return route(path.substr(own.size() + 1), request, *form);
}

net::Response RestTwin::route(std::string_view resource, net::Request const& request, net::Form const& form) {
  bool const is_list = resource.find('/') == std::string_view::npos;
  auto name = resource.substr(0, resource.find('/'));
  auto item = is_list ? std::string_view{} : resource.substr(name.size() + 1);
  auto& last = is_list ? name : item;
  bool const is_json = last.ends_with(".json");
  if (name == "Recordings" && !is_list) return recordings(item, request);
  if (is_json) {
    last.remove_suffix(5);
    if (name == "Calls") return calls(item, request, form);
    if (name == "IncomingPhoneNumbers") return numbers(item, request, form);
    if (name == "Messages") return messages(item, request, form);
  }
  return rest_error(404, 20404, "The requested resource " + std::string{request.path()} + " was not found");
}

net::Response RestTwin::calls(std::string_view item, net::Request const& request, net::Form const& form) {
  if (item.empty()) return request.method == "POST" ? create_call(form) : list_calls(form);
  auto const entry = calls_.find(item);
  if (!entry) return rest_error(404, 20404, "The requested resource " + std::string{request.path()} + " was not found");
  if (request.method == "POST") return update_call(*entry, form);
  if (request.method != "DELETE") return net::Response::json(200, call_json(entry->record));
  if (calls_.remove(item)) return net::Response::empty(204);
  return rest_error(409, 20409, "Cannot delete a call that is in progress");
}

net::Response RestTwin::create_call(net::Form const& form) {
  auto const to = net::find(form, "To");
  auto const from = net::find(form, "From");
  if (to.empty()) return rest_error(400, 21201, "No 'To' number is specified");
  if (from.empty()) return rest_error(400, 21213, "No 'From' number is specified");
  if (!is_dialable(to)) return rest_error(400, 21211, "The 'To' number is not a valid phone number");
  if (!is_dialable(from)) return rest_error(400, 21212, "The 'From' number is not a valid phone number");
  bool const owned = numbers_.empty() || std::any_of(numbers_.begin(), numbers_.end(),
                                                     [&](auto const& n) { return n.phone_number == from; });
  if (!owned) return rest_error(400, 21210, "The source phone number provided is not yet verified for your account");
  auto const url = net::find(form, "Url");
  if (url.empty() && !has(form, "Twiml")) return rest_error(400, 21205, "Url parameter is required.");
  CallPlan plan = outbound_;
  plan.from = from;
  plan.to = to;
  plan.voice_url = url;
  plan.voice_method = method_or_post(form, "Method");
  plan.twiml = url.empty() ? text(form, "Twiml") : "";  // Twiml is ignored when Url is given
  plan.fallback_url = text(form, "FallbackUrl");
  plan.fallback_method = method_or_post(form, "FallbackMethod");
  plan.status_callback = text(form, "StatusCallback");
  plan.status_callback_method = method_or_post(form, "StatusCallbackMethod");
  plan.time_limit = std::chrono::seconds{number(form, "TimeLimit", 4 * 3600)};
  std::vector<std::string> events;
  for (auto const& [name, value] : form)
    if (name == "StatusCallbackEvent") events.push_back(value);
  if (!events.empty()) plan.status_events = std::move(events);
  auto const patience = std::chrono::seconds{number(form, "Timeout", 60)};
  if (plan.callee.ring_for > patience) {
    plan.callee.ring_for = patience;
    plan.callee.answer = CalleeAnswer::no_answer;
  }
  auto const entry = calls_.enqueue(std::move(plan));
  return net::Response::json(201, call_json(entry->record));
}

net::Response RestTwin::update_call(CallEntry& entry, net::Form const& form) {
  CallUpdate update;
  auto const status = net::find(form, "Status");
  if (status == "completed")
    update.status = CallStatus::completed;
  else if (status == "canceled")
    update.status = CallStatus::canceled;
  else if (!status.empty())
    return rest_error(400, 20001, "Status must be completed or canceled");
  update.twiml = text(form, "Twiml");
  update.url = text(form, "Url");
  update.method = method_or_post(form, "Method");
  bool const acts = update.status || !update.twiml.empty() || !update.url.empty();
  if (!acts) return net::Response::json(200, call_json(entry.record));
  if (update.status && calls_.cancel_queued(entry)) return net::Response::json(200, call_json(entry.record));
  auto const done = entry.live ? entry.live->update(std::move(update))
                               : base::Result<>{base::fail(base::Fault::conflict, "the call is not live")};
  if (!done) return rest_error(400, 21220, "Call is not in-progress. Cannot redirect.");
  auto shown = entry.record;
  // The status is seen at once although the legs still take their leave.
  if (net::find(form, "Status") == "completed") shown.status = CallStatus::completed;
  if (net::find(form, "Status") == "canceled") shown.status = CallStatus::canceled;
  return net::Response::json(200, call_json(shown));
}

net::Response RestTwin::list_calls(net::Form const& query) const {
  std::vector<std::string> items;
  for (auto const& entry : calls_.all()) {
    auto const& call = entry->record;
    auto const wanted = [&](std::string_view name, std::string_view value) {
      auto const asked = net::find(query, name);
      return asked.empty() || asked == value;
    };
    if (wanted("Status", to_string(call.status)) && wanted("To", call.to) && wanted("From", call.from) &&
        wanted("ParentCallSid", call.parent_sid))
      items.push_back(call_json(call));
  }
  auto const size = std::clamp<std::size_t>(number(query, "PageSize", 50), 1, 1000);
  auto const path = std::string{root} + exchange_.account.sid + "/Calls.json";
  return net::Response::json(200, page_json("calls", items, path, number(query, "Page", 0), size));
}

net::Response RestTwin::numbers(std::string_view item, net::Request const& request, net::Form const& form) {
  auto const& account = exchange_.account.sid;
  auto const apply = [&](IncomingNumber& chosen) {
    for (auto const& [name, value] : form)
      if (name != "PhoneNumber" && name != "AreaCode") chosen.fields[json_name(name)] = value;
  };
  if (item.empty() && request.method == "POST") {
    auto const wanted = net::find(form, "PhoneNumber");
    if (!is_dialable(wanted)) return rest_error(400, 21421, "PhoneNumber is invalid");
    auto& bought = add_number(std::string{wanted});
    apply(bought);
    return net::Response::json(201, number_json(bought, account));
  }
  if (item.empty()) {
    std::vector<std::string> items;
    auto const wanted = net::find(form, "PhoneNumber");
    for (auto const& candidate : numbers_)
      if (wanted.empty() || candidate.phone_number.find(wanted) != std::string::npos)
        items.push_back(number_json(candidate, account));
    auto const size = std::clamp<std::size_t>(number(form, "PageSize", 50), 1, 1000);
    auto const path = std::string{root} + account + "/IncomingPhoneNumbers.json";
    return net::Response::json(200, page_json("incoming_phone_numbers", items, path, number(form, "Page", 0), size));
  }
  auto const found = std::find_if(numbers_.begin(), numbers_.end(), [&](auto const& n) { return n.sid == item; });
  if (found == numbers_.end()) return rest_error(404, 20404, "The requested resource was not found");
  if (request.method == "DELETE") {
    numbers_.erase(found);
    return net::Response::empty(204);
  }
  if (request.method == "POST") apply(*found);
  return net::Response::json(200, number_json(*found, account));
}

net::Response RestTwin::recordings(std::string_view item, net::Request const& request) {
  auto const sid = std::string{item.substr(0, item.find('.'))};
  auto const found = exchange_.recordings.find(sid);
  if (found == exchange_.recordings.end()) return rest_error(404, 20404, "The requested resource was not found");
  if (request.method == "DELETE") {
    exchange_.recordings.erase(found);
    return net::Response::empty(204);
  }
  if (item.ends_with(".json"))
    return net::Response::json(200, recording_json(sid, found->second.size(), exchange_.account.sid));
  return net::Response::with(200, "audio/x-wav", found->second);
}

net::Response RestTwin::messages(std::string_view item, net::Request const& request, net::Form const& form) {
  auto const& account = exchange_.account.sid;
  if (item.empty() && request.method == "POST") {
    auto const to = net::find(form, "To");
    auto const body = net::find(form, "Body");
    if (to.empty()) return rest_error(400, 21604, "A 'To' phone number is required.");
    if (!is_dialable(to)) return rest_error(400, 21211, "The 'To' number is not a valid phone number");
    if (body.empty() && !has(form, "MediaUrl")) return rest_error(400, 21602, "Message body is required.");
    if (opted_out_.contains(to)) return rest_error(400, 21610, "Attempt to send to unsubscribed recipient");
    if (body.size() > 1600)
      return rest_error(400, 21617, "The concatenated message body exceeds the 1600 character limit");
    messages_.push_back({new_sid("SM"), text(form, "From"), std::string{to}, std::string{body},
                         std::chrono::system_clock::now(), Clock::now()});
    return net::Response::json(201, message_json(messages_.back(), account));
  }
  if (item.empty()) {
    std::vector<std::string> items;
    auto const wanted = [&](std::string_view name, std::string_view value) {
      auto const asked = net::find(form, name);
      return asked.empty() || asked == value;
    };
    for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
      if (wanted("To", message->to) && wanted("From", message->from)) items.push_back(message_json(*message, account));
    }
    auto const size = std::clamp<std::size_t>(number(form, "PageSize", 50), 1, 1000);
    return net::Response::json(200, page_json("messages", items, std::string{root} + account + "/Messages.json",
                                              number(form, "Page", 0), size));
  }
  auto const found = std::find_if(messages_.begin(), messages_.end(), [&](auto const& m) { return m.sid == item; });
  if (found == messages_.end()) return rest_error(404, 20404, "The requested resource was not found");
  return net::Response::json(200, message_json(*found, account));
}

}  // namespace sim::twilio
