#include "crm/adapters/hubspot/api.h"

#include <algorithm>

#include "gateway/net/form.h"

namespace crm::hubspot {
namespace {

using base::Async;
using base::Instant;
using Kind = DeliveryFault::Kind;

constexpr std::size_t searches_a_second = 4;
constexpr std::size_t schema_bytes = 8 * 1024 * 1024;  // some hundred properties, lists of countries among them;
                                                       // a client with an egress policy takes 1 MiB

std::unexpected<Denial> late() {
  return std::unexpected{Denial{{.kind = Kind::not_sent, .detail = "no time was left to ask HubSpot"}, {}}};
}

bool is_json(net::Response const& response) {
  return response.headers.find("Content-Type").starts_with("application/json");
}

/// The decoded answer, or a denial that says it could not be read.
template <class T>
Answered<T> read(base::Result<T> decoded, net::Response const& response, Effect effect) {
  if (decoded) return std::move(*decoded);
  return std::unexpected{unreadable(static_cast<int>(response.status), effect)};
}

}  // namespace

Async<Answered<net::Response>> Api::ask(Ask ask, Instant deadline) {
  auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - time_.now());
  if (left.count() <= 0) co_return late();
  net::HttpCall call;
  call.method = ask.method;
  call.url = settings_.base_url + ask.target;
  call.headers.add("Authorization", "Bearer " + std::string{settings_.token.reveal()});
  call.headers.add("Accept", "application/json");
  if (!ask.body.empty()) call.headers.add("Content-Type", "application/json");
  call.body = std::move(ask.body);
  call.timeout = std::min(settings_.request_timeout, left);
  call.connect_timeout = std::min(call.connect_timeout, call.timeout);
  call.max_response_bytes = ask.max_response_bytes;
  auto response = co_await http_.send(std::move(call));
  if (!response) co_return std::unexpected{denial_of(response.error(), ask.effect)};
  if (response->status < 200 || response->status > 299)
    co_return std::unexpected{denial_of(*response, ask.effect, rest_of_day())};
  if (!is_json(*response)) co_return std::unexpected{unreadable(static_cast<int>(response->status), ask.effect)};
  co_return std::move(*response);
}

Async<Answered<Written>> Api::write(Ask ask_for, Instant deadline) {
  auto const response = co_await ask(std::move(ask_for), deadline);
  if (!response) co_return std::unexpected{response.error()};
  auto object = read(decode_object(response->body), *response, Effect::write);
  if (!object) co_return std::unexpected{object.error()};
  int const status = static_cast<int>(response->status);
  co_return Written{std::move(object->id), status == 201, status};
}

Async<Answered<Account>> Api::account(Instant deadline) {
  auto const response = co_await ask({Effect::read, "GET", paths_.account(), {}}, deadline);
  if (!response) co_return std::unexpected{response.error()};
  auto account = read(decode_account(response->body), *response, Effect::read);
  if (account) utc_offset_ = account->utc_offset;
  co_return account;
}

Async<Answered<Schema>> Api::schema(std::string type, Instant deadline) {
  auto const response = co_await ask({Effect::read, "GET", paths_.properties(type), {}, schema_bytes}, deadline);
  if (!response) co_return std::unexpected{response.error()};
  co_return read(decode_schema(response->body), *response, Effect::read);
}

Async<Answered<Schema>> Api::schema_of(std::string type, std::vector<std::string> names, Instant deadline) {
  Schema schema;
  for (auto const& name : names) {
    auto const response = co_await ask({Effect::read, "GET", paths_.property(type, name), {}}, deadline);
    if (!response && response.error().fault.http_status == 404) continue;
    if (!response) co_return std::unexpected{response.error()};
    auto property = read(decode_property(response->body), *response, Effect::read);
    if (!property) co_return std::unexpected{property.error()};
    schema[name] = std::move(*property);
  }
  co_return schema;
}

Async<Answered<PropertyDefinition>> Api::create_property(std::string type, std::string body, Instant deadline) {
  // Of the schema, not of a record: nothing to look for when its answer is lost.
  auto const response = co_await ask({Effect::read, "POST", paths_.properties(type), std::move(body)}, deadline);
  if (!response) co_return std::unexpected{response.error()};
  co_return read(decode_property(response->body), *response, Effect::read);
}

Async<Answered<void>> Api::peek(std::string type, Instant deadline) {
  auto const response = co_await ask({Effect::read, "GET", paths_.objects(type) + "?limit=1", {}}, deadline);
  if (!response) co_return std::unexpected{response.error()};
  co_return Answered<void>{};
}

Async<Answered<std::optional<RemoteObject>>> Api::find(std::string type, std::string id, std::string id_property,
                                                       std::vector<std::string> properties, Instant deadline) {
  auto target = paths_.object(type, id);
  char separator = '?';
  if (!id_property.empty()) {
    target += "?idProperty=" + net::percent_encode(id_property);
    separator = '&';
  }
  for (auto const& property : properties) {
    target += separator + ("properties=" + net::percent_encode(property));
    separator = '&';
  }
  auto const response = co_await ask({Effect::read, "GET", std::move(target), {}}, deadline);
  if (!response) {
    if (response.error().fault.http_status == 404) co_return std::optional<RemoteObject>{};
    co_return std::unexpected{response.error()};
  }
  auto object = read(decode_object(response->body), *response, Effect::read);
  if (!object) co_return std::unexpected{object.error()};
  co_return std::optional{std::move(*object)};
}

Async<Answered<void>> Api::await_search_turn(Instant deadline) {
  using namespace std::chrono_literals;
  while (searches_.size() >= searches_a_second && searches_.front() + 1s > time_.now()) {
    if (searches_.front() + 1s > deadline) co_return late();
    auto const waited = co_await time_.wait_until(searches_.front() + 1s);
    if (!waited) co_return late();
  }
  searches_.push_back(time_.now());
  if (searches_.size() > searches_a_second) searches_.pop_front();
  co_return Answered<void>{};
}

Async<Answered<std::vector<RemoteObject>>> Api::search(std::string type, std::string body, Instant deadline) {
  auto const turn = co_await await_search_turn(deadline);
  if (!turn) co_return std::unexpected{turn.error()};
  auto const response =
      co_await ask({Effect::read, "POST", paths_.objects(type) + "/search", std::move(body)}, deadline);
  if (!response) co_return std::unexpected{response.error()};
  co_return read(decode_search(response->body), *response, Effect::read);
}

Async<Answered<Written>> Api::upsert(std::string type, std::string body, Instant deadline) {
  auto const response =
      co_await ask({Effect::write, "POST", paths_.objects(type) + "/batch/upsert", std::move(body)}, deadline);
  if (!response) co_return std::unexpected{response.error()};
  int const status = static_cast<int>(response->status);
  auto answer = read(decode_batch(response->body), *response, Effect::write);
  if (!answer) co_return std::unexpected{answer.error()};
  // Partial failure is a 207 in the numbered family and a 200 in the dated one.
  if (!answer->errors.empty())
    co_return std::unexpected{denial_of(std::move(answer->errors.front()), status, rest_of_day())};
  if (answer->results.size() != 1) co_return std::unexpected{unreadable(status, Effect::write)};
  auto& object = answer->results.front();
  co_return Written{std::move(object.id), object.is_new, status};
}

Async<Answered<Written>> Api::create(std::string type, std::string body, Instant deadline) {
  auto written = co_await write({Effect::write, "POST", paths_.objects(type), std::move(body)}, deadline);
  co_return written;
}

Async<Answered<Written>> Api::update(std::string type, std::string id, std::string body, Instant deadline) {
  auto written = co_await write({Effect::write, "PATCH", paths_.object(type, id), std::move(body)}, deadline);
  if (written) written->created = false;
  co_return written;
}

Async<Answered<void>> Api::link(std::string type, std::string id, std::string contact, Instant deadline) {
  auto const response = co_await ask({Effect::write, "PUT", paths_.link(type, id, "contacts", contact), {}}, deadline);
  if (!response) co_return std::unexpected{response.error()};
  co_return Answered<void>{};
}

}  // namespace crm::hubspot
