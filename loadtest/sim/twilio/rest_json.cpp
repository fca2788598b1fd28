#include "loadtest/sim/twilio/rest_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sim::twilio {
namespace {

using Json = nlohmann::json;

std::string dump(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json time_or_null(std::optional<base::TimeSource::Wall> when) {
  return when ? Json(rfc2822(*when)) : Json(nullptr);
}

std::string account_path(std::string const& account_sid) {
  return "/2010-04-01/Accounts/" + account_sid;
}

}  // namespace

net::Response rest_error(unsigned status, int code, std::string_view message) {
  return net::Response::json(status, dump({{"code", code},
                                           {"message", message},
                                           {"more_info", fmt::format("https://www.twilio.com/docs/errors/{}", code)},
                                           {"status", status}}));
}

std::string call_json(CallRecord const& call) {
  auto const uri = account_path(call.account_sid) + "/Calls/" + call.sid;
  Json duration = nullptr;
  if (call.ended) {
    auto const from = call.started.value_or(*call.ended);
    duration = std::to_string(std::chrono::round<std::chrono::seconds>(*call.ended - from).count());
  }
  Json const parent = call.parent_sid.empty() ? Json(nullptr) : Json(call.parent_sid);
  // REST has no status "initiated".
  auto const status = call.status == CallStatus::initiated ? CallStatus::ringing : call.status;
  Json json{{"sid", call.sid},
            {"account_sid", call.account_sid},
            {"parent_call_sid", parent},
            {"from", call.from},
            {"from_formatted", call.from},
            {"to", call.to},
            {"to_formatted", call.to},
            {"phone_number_sid", nullptr},
            {"status", to_string(status)},
            {"direction", call.direction},
            {"date_created", rfc2822(call.created)},
            {"date_updated", rfc2822(call.updated)},
            {"start_time", time_or_null(call.started)},
            {"end_time", time_or_null(call.ended)},
            {"duration", duration},
            {"price", nullptr},
            {"price_unit", "USD"},
            {"answered_by", nullptr},
            {"api_version", "2010-04-01"},
            {"forwarded_from", nullptr},
            {"group_sid", nullptr},
            {"caller_name", nullptr},
            {"queue_time", "0"},
            {"trunk_sid", nullptr},
            {"uri", uri + ".json"}};
  for (auto const* resource :
       {"Notifications", "Recordings", "Payments", "Events", "Siprec", "Streams", "Transcriptions"}) {
    std::string name = resource;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    json["subresource_uris"][name] = uri + "/" + resource + ".json";
  }
  return dump(json);
}

std::string number_json(IncomingNumber const& number, std::string const& account_sid) {
  Json json{{"sid", number.sid},
            {"account_sid", account_sid},
            {"phone_number", number.phone_number},
            {"friendly_name", number.phone_number},
            {"capabilities", {{"voice", true}, {"sms", true}, {"mms", true}, {"fax", false}}},
            {"voice_url", ""},
            {"voice_method", "POST"},
            {"voice_fallback_url", ""},
            {"voice_fallback_method", "POST"},
            {"voice_caller_id_lookup", false},
            {"status_callback", ""},
            {"status_callback_method", "POST"},
            {"sms_url", ""},
            {"sms_method", "POST"},
            {"sms_fallback_url", ""},
            {"sms_fallback_method", "POST"},
            {"voice_application_sid", nullptr},
            {"sms_application_sid", nullptr},
            {"trunk_sid", nullptr},
            {"address_requirements", "none"},
            {"api_version", "2010-04-01"},
            {"beta", false},
            {"origin", "twilio"},
            {"status", "in-use"},
            {"uri", account_path(account_sid) + "/IncomingPhoneNumbers/" + number.sid + ".json"}};
  for (auto const& [name, value] : number.fields) json[name] = value;
  return dump(json);
}

std::string message_json(SentMessage const& message, std::string const& account_sid) {
  return dump(
      {{"sid", message.sid},
       {"account_sid", account_sid},
       {"from", message.from},
       {"to", message.to},
       {"body", message.body},
       {"status", "queued"},
       {"direction", "outbound-api"},
       {"num_segments", std::to_string(message.body.size() / 160 + 1)},
       {"num_media", "0"},
       {"error_code", nullptr},
       {"error_message", nullptr},
       {"messaging_service_sid", nullptr},
       {"price", nullptr},
       {"price_unit", "USD"},
       {"api_version", "2010-04-01"},
       {"date_created", rfc2822(message.created)},
       {"date_updated", rfc2822(message.created)},
       {"date_sent", nullptr},
       {"uri", account_path(account_sid) + "/Messages/" + message.sid + ".json"},
       {"subresource_uris", {{"media", account_path(account_sid) + "/Messages/" + message.sid + "/Media.json"}}}});
}

std::string recording_json(std::string const& sid, std::size_t file_bytes, std::string const& account_sid) {
  auto const seconds = (file_bytes > 44 ? file_bytes - 44 : 0) / 16000;
  return dump({{"sid", sid},
               {"account_sid", account_sid},
               {"status", "completed"},
               {"channels", 1},
               {"duration", std::to_string(seconds)},
               {"source", "RecordVerb"},
               {"uri", account_path(account_sid) + "/Recordings/" + sid + ".json"}});
}

std::string page_json(std::string_view array_name, std::vector<std::string> const& items, std::string const& path,
                      std::size_t page, std::size_t page_size) {
  auto const first = std::min(page * page_size, items.size());
  auto const last = std::min(first + page_size, items.size());
  auto const uri = [&](std::size_t number) { return fmt::format("{}?PageSize={}&Page={}", path, page_size, number); };
  std::string const next = last < items.size() ? "\"" + uri(page + 1) + "\"" : "null";
  std::string const previous = page > 0 ? "\"" + uri(page - 1) + "\"" : "null";
  std::string array;
  for (auto i = first; i < last; ++i) array.append(array.empty() ? "" : ",").append(items[i]);
  return fmt::format(
      R"({{"page":{},"page_size":{},"start":{},"end":{},"uri":"{}","first_page_uri":"{}","next_page_uri":{},)"
      R"("previous_page_uri":{},"{}":[{}]}})",
      page, page_size, first, last > first ? last - 1 : first, uri(page), uri(0), next, previous, array_name, array);
}

}  // namespace sim::twilio
