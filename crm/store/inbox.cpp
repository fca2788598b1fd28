#include "crm/store/inbox.h"

#include <span>

#include "crm/pg/storable_text.h"
#include "gateway/base/ids.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr std::size_t error_bytes = 500;

constexpr pg::Query keep{"keep_delivery",
                         "insert into inbox (source, key, body, status, error, applied_at) "
                         "values ($1, $2, $3, $4, $5, case when $4 = 'applied' then now() end) "
                         "on conflict (source, key) do nothing"};
constexpr pg::Query waiting{
    "waiting_deliveries",
    "select received_at::text as received_at, key, received_at < now() - make_interval(secs => $5) as is_stale "
    "from inbox where source = $1 and status = 'received' and (received_at, key) > ($2::timestamptz, $3) "
    "and (not $4 or received_at > now() - interval '2 minutes') order by received_at, key limit 50"};
constexpr pg::Query take{"take_delivery",
                         "select body from inbox where source = $1 and key = $2 and status = 'received' "
                         "and body is not null for update skip locked"};
constexpr pg::Query applied{
    "mark_delivery_applied",
    "update inbox set status = 'applied', applied_at = now(), "
    "tenant_id = coalesce((select tenant_id from calls where conversation_id = $3 limit 1), tenant_id) "
    "where source = $1 and key = $2 and status = 'received'"};
constexpr pg::Query quarantine{"quarantine_delivery",
                               "update inbox set status = 'quarantined', error = $3 "
                               "where source = $1 and key = $2 and status = 'received'"};
constexpr pg::Query forget{"forget_deliveries",
                           "delete from inbox where (source, key) in (select source, key from inbox "
                           "where status <> 'received' and received_at < now() - make_interval(hours => $1) "
                           "order by received_at limit $2::int for update skip locked)"};

std::string_view to_text(InboxStatus status) {
  switch (status) {
    case InboxStatus::received:
      return "received";
    case InboxStatus::applied:
      return "applied";
    case InboxStatus::quarantined:
      return "quarantined";
  }
  return "received";
}

std::string to_bytea(std::string_view bytes) {
  return "\\x" + base::to_hex({reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
}

/// PostgreSQL's own output, "\x" and lower-case hex.
std::string from_bytea(std::string_view text) {
  auto const value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(value(text[i]) << 4 | value(text[i + 1]));
  return bytes;
}

std::optional<std::string> error_text(std::string const& text) {
  if (text.empty()) return std::nullopt;
  return pg::storable_text(std::string_view{text}.substr(0, error_bytes));
}

/// The outcome of a statement of which only the success counts.
Async<Result<>> run_plainly(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace

Async<Result<bool>> keep_delivery(pg::Session& session, InboxDelivery delivery) {
  pg::Params params{delivery.source, pg::storable_text(delivery.key), to_bytea(delivery.body), to_text(delivery.status),
                    error_text(delivery.error)};
  auto const rows = co_await session.run(keep, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected() > 0;
}

Async<Result<std::vector<InboxPlace>>> waiting_deliveries(pg::Session& session, std::string source, InboxPlace place,
                                                          bool recent_only, std::chrono::seconds stale_after) {
  pg::Params params{source, place.received_at, place.key, recent_only, stale_after.count()};
  auto const rows = co_await session.run(waiting, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<InboxPlace> places;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    auto const row = (*rows)[i];
    places.push_back({row.text("received_at"), row.text("key"), row.boolean("is_stale")});
  }
  co_return places;
}

Async<Result<std::optional<std::string>>> take_delivery(pg::Session& session, std::string source, std::string key) {
  pg::Params params{source, key};
  auto const rows = co_await session.run(take, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<std::string> body;
  if (!rows->empty()) body = from_bytea((*rows)[0].text("body"));
  co_return body;
}

Async<Result<>> mark_applied(pg::Session& session, std::string const& source, std::string const& key,
                             std::string const& conversation_id) {
  pg::Params params{source, key, pg::storable_text(conversation_id)};
  return run_plainly(session, applied, std::move(params));
}

Async<Result<>> quarantine_delivery(pg::Session& session, std::string const& source, std::string const& key,
                                    std::string const& error) {
  pg::Params params{source, key, error_text(error)};
  return run_plainly(session, quarantine, std::move(params));
}

Async<Result<std::int64_t>> forget_deliveries(pg::Session& session, std::chrono::hours age, int most) {
  pg::Params params{age.count(), most};
  auto const rows = co_await session.run(forget, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected();
}

}  // namespace crm
