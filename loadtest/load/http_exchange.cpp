#include "loadtest/load/http_exchange.h"

#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace sim::load {
namespace {

constexpr std::size_t longest_answer = 16 * 1024 * 1024;

std::string lower(std::string_view text) {
  std::string all{text};
  std::ranges::transform(all, all.begin(), [](unsigned char c) { return std::tolower(c); });
  return all;
}

/// The value of a header field in a head; empty when it is not there.
std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    auto const line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    auto const colon = line.find(':');
    if (colon == line.npos || lower(line.substr(0, colon)) != name) continue;
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
  }
  return {};
}

std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

/// The body once its last chunk is there.
std::optional<std::string> unchunked(std::string_view body) {
  std::string all;
  for (;;) {
    auto const line = body.find("\r\n");
    if (line == body.npos) return std::nullopt;
    auto const size = number(body.substr(0, line), 16);
    if (!size || body.size() < line + 2 + *size + 2) return std::nullopt;
    if (*size == 0) return all;
    all.append(body.substr(line + 2, *size));
    body.remove_prefix(line + 2 + *size + 2);
  }
}

HttpAnswer broken(std::string why) {
  return {0, {}, std::move(why)};
}

}  // namespace

Place Place::find(net::Url url, SSL_CTX* tls) {
  Place place;
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto const port = std::to_string(url.port_or_default());
  int const failed = ::getaddrinfo(url.host.c_str(), port.c_str(), &wanted, &found);
  if (failed != 0) throw std::runtime_error{"no address for " + url.host + ": " + ::gai_strerror(failed)};
  std::memcpy(&place.address, found->ai_addr, sizeof place.address);
  ::freeaddrinfo(found);
  place.tls = url.is_secure() ? tls : nullptr;
  place.url = std::move(url);
  return place;
}

std::optional<HttpAnswer> AnswerReader::take(std::string_view bytes) {
  received_.append(bytes);
  if (received_.size() > longest_answer) return broken("the answer is too long");
  return look(/*ended=*/false);
}

std::optional<HttpAnswer> AnswerReader::end() {
  auto answer = look(/*ended=*/true);
  return answer ? std::move(answer) : broken("the connection ended within the answer");
}

std::optional<HttpAnswer> AnswerReader::look(bool ended) {
  std::string_view const all{received_};
  auto const end = all.find("\r\n\r\n");
  if (end == all.npos) return std::nullopt;
  auto const head = all.substr(0, end + 2);
  auto const status = number(head.substr(std::min<std::size_t>(9, head.size())), 10);
  if (!head.starts_with("HTTP/1.") || !status) return broken("the answer is not HTTP");
  HttpAnswer answer;
  answer.status = static_cast<unsigned>(*status);
  answer.content_type = field(head, "content-type");
  auto const body = all.substr(end + 4);
  if (answer.status == 204 || answer.status == 304) return answer;
  if (lower(field(head, "transfer-encoding")) == "chunked") {
    auto whole = unchunked(body);
    if (!whole) return std::nullopt;
    answer.body = std::move(*whole);
    return answer;
  }
  auto const length = number(field(head, "content-length"), 10);
  if (length ? body.size() < *length : !ended) return std::nullopt;
  answer.body = body.substr(0, length.value_or(body.size()));
  return answer;
}

void HttpExchange::ask(Place const& place, std::string_view head, std::string_view body) {
  request_.assign(head);
  request_.append("Host: ").append(place.url.authority()).append("\r\n");
  if (!body.empty()) request_.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  request_.append("Connection: close\r\n\r\n").append(body);
  reader_ = {};
  if (!connection_.connect(place.address, place.tls, place.url.host))
    events_.on_answer(broken("no connection could be opened"));
}

void HttpExchange::on_connected(Connection& connection) {
  connection.send(request_);
}

void HttpExchange::on_bytes(Connection&, std::span<char> bytes) {
  if (auto done = reader_.take({bytes.data(), bytes.size()})) answer(std::move(*done));
}

void HttpExchange::on_gone(Connection&, std::string_view why) {
  answer(why.empty() ? *reader_.end() : broken(std::string{why}));
}

void HttpExchange::answer(HttpAnswer answer) {
  connection_.close();
  events_.on_answer(std::move(answer));
}

}  // namespace sim::load
