#include "gateway/net/http.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "gateway/base/log.h"
#include "gateway/base/time_source.h"

namespace net {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  auto const lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view error_words(unsigned status) {
  switch (status) {
    case 400:
      return "Bad request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 408:
      return "Request timeout";
    case 413:
      return "Payload too large";
    case 409:
      return "Conflict";
    case 414:
      return "URI too long";
    case 417:
      return "Expectation failed";
    case 422:
      return "Unprocessable content";
    case 429:
      return "Too many requests";
    case 431:
      return "Request header fields too large";
    case 503:
      return "Service unavailable";
    default:
      return status >= 500 ? "Internal server error" : "Request failed";
  }
}

}  // namespace

std::string_view Headers::find(std::string_view name) const {
  auto const found = std::ranges::find_if(fields_, [&](Field const& field) { return same_name(field.first, name); });
  return found == fields_.end() ? std::string_view{} : std::string_view{found->second};
}

bool Headers::has(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](Field const& field) { return same_name(field.first, name); });
}

bool is_sendable(Headers const& headers) {
  // RFC 9110, 5.6.2 (token) and 5.5 (field value).
  auto const in_token = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
  };
  auto const in_value = [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); };
  return std::ranges::all_of(headers, [&](Headers::Field const& field) {
    return !field.first.empty() && std::ranges::all_of(field.first, in_token) &&
           std::ranges::all_of(field.second, in_value);
  });
}

Response Response::with(unsigned status, std::string_view content_type, std::string body) {
  Response response{status, {}, std::move(body)};
  response.headers.add("Content-Type", std::string{content_type});
  return response;
}

Response error_response(unsigned status, std::string_view code, std::string_view details) {
  std::string body = "{\"error\":";
  base::append_json_string(body, error_words(status));
  body += ",\"code\":";
  base::append_json_string(body, code);
  body += ",\"details\":";
  base::append_json_string(body, details);
  if (status == 401) body += ",\"status\":401";
  body += ",\"timestamp\":\"" + base::iso8601(std::chrono::system_clock::now()) + "\"}";
  return Response::json(status, std::move(body));
}

}  // namespace net
