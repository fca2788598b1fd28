#include "gateway/net/request_head.h"

#include <algorithm>
#include <charconv>

#include "gateway/base/text.h"

namespace net {
namespace {

constexpr std::string_view blanks = " \t";  // RFC 9110, 5.6.3: OWS

constexpr Refusal malformed{400, "BAD_REQUEST", "the request is not valid HTTP"};
constexpr Refusal ambiguous{400, "BAD_REQUEST", "the length of the request body is ambiguous"};
constexpr Refusal target_too_long{414, "URI_TOO_LONG", "the request target is too long"};
constexpr Refusal head_too_large{431, "HEADERS_TOO_LARGE", "the request headers are too large"};
constexpr Refusal too_many_fields{431, "HEADERS_TOO_LARGE", "too many header fields"};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_visible(char c) {
  return c > 0x20 && c < 0x7F;
}

/// RFC 9110, 5.6.2: tchar.
bool is_token_char(char c) {
  return is_upper(c) || is_digit(c) || (c >= 'a' && c <= 'z') ||
         std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

/// RFC 9110, 5.5: visible characters, space, tab and bytes above 0x7F.
bool is_value_char(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

bool same_word(std::string_view a, std::string_view b) {
  auto const lower = [](char c) { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    auto const comma = std::min(list.find(','), list.size());
    if (same_word(base::trimmed(list.substr(0, comma), blanks), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::optional<Refusal> read_request_line(std::string_view line, HttpLimits const& limits, RequestHead& head) {
  auto const first = line.find(' ');
  auto const last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return malformed;
  auto const method = line.substr(0, first);
  auto const target = line.substr(first + 1, last - first - 1);
  auto const version = line.substr(last + 1);
  if (method.empty() || method.size() > 20 || !std::ranges::all_of(method, is_upper)) return malformed;
  if (target.size() > limits.target_bytes) return target_too_long;
  if (!target.starts_with('/') || !std::ranges::all_of(target, is_visible)) return malformed;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return malformed;
  head.request.method = std::string{method};
  head.request.target = std::string{target};
  head.keep_alive = version == "HTTP/1.1";
  return {};
}

std::optional<Refusal> read_field(std::string_view line, RequestHead& head) {
  auto const colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return malformed;
  auto const name = line.substr(0, colon);
  auto const value = base::trimmed(line.substr(colon + 1), blanks);
  if (!std::ranges::all_of(name, is_token_char) || !std::ranges::all_of(value, is_value_char)) return malformed;
  head.request.headers.add(std::string{name}, std::string{value});
  return {};
}

/// Decides once how long the body is (RFC 9112, 6.3), refusing what could be read in two ways.
std::optional<Refusal> settle(RequestHead& head) {
  bool const newest = head.keep_alive;
  int hosts = 0;
  for (auto const& [name, value] : head.request.headers) {
    if (same_word(name, "Host")) {
      ++hosts;
    } else if (same_word(name, "Content-Length")) {
      std::uint64_t length = 0;
      auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      bool const plain = error == std::errc{} && end == value.data() + value.size();
      if (!plain || head.content_length) return ambiguous;
      head.content_length = length;
    } else if (same_word(name, "Transfer-Encoding")) {
      if (!newest || head.chunked || !same_word(value, "chunked")) return ambiguous;
      head.chunked = true;
    } else if (same_word(name, "Connection")) {
      if (lists(value, "close")) head.keep_alive = false;
    } else if (same_word(name, "Expect")) {
      if (!same_word(value, "100-continue"))
        return Refusal{417, "EXPECTATION_FAILED", "only 100-continue can be expected"};
      head.expects_continue = newest;
    }
  }
  if (head.chunked && head.content_length) return ambiguous;
  if (hosts > 1 || (newest && hosts == 0)) return Refusal{400, "BAD_REQUEST", "one Host header is needed"};
  return {};
}

std::expected<std::optional<RequestHead>, Refusal> read_head(std::string_view text, HttpLimits const& limits) {
  RequestHead head;
  head.bytes = text.size();
  bool first = true;
  while (!text.starts_with("\r\n")) {
    auto const end = text.find("\r\n");
    auto const line = text.substr(0, end);
    auto const wrong = first ? read_request_line(line, limits, head) : read_field(line, head);
    if (wrong) return std::unexpected{*wrong};
    first = false;
    text.remove_prefix(end + 2);
  }
  if (auto const wrong = settle(head)) return std::unexpected{*wrong};
  return head;
}

}  // namespace

std::expected<std::optional<RequestHead>, Refusal> RequestHeadReader::look(std::string_view received) {
  // A TLS hello or another protocol is told at once instead of at the time limit.
  if (!received.empty() && !is_upper(received.front())) return std::unexpected{malformed};
  auto const window = received.substr(0, limits_.header_bytes);
  auto const longest_line = limits_.target_bytes + 64;  // with method and version
  for (auto end = window.find('\n', searched_); end != std::string_view::npos; end = window.find('\n', searched_)) {
    if (end == line_start_ || window[end - 1] != '\r') return std::unexpected{malformed};
    bool const empty = end - 1 == line_start_;
    if (empty) return read_head(window.substr(0, end + 1), limits_);
    if (lines_ == 0 && end > longest_line) return std::unexpected{target_too_long};
    line_start_ = searched_ = end + 1;
    // The request line is no field.
    if (lines_++ > limits_.header_fields) return std::unexpected{too_many_fields};
  }
  searched_ = window.size();
  if (lines_ == 0 && window.size() > longest_line) return std::unexpected{target_too_long};
  if (received.size() >= limits_.header_bytes) return std::unexpected{head_too_large};
  return std::optional<RequestHead>{};
}

}  // namespace net
