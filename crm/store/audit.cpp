#include "crm/store/audit.h"

#include <openssl/sha.h>

#include <array>
#include <nlohmann/json.hpp>

#include "crm/pg/storable_json.h"
#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr std::size_t longest_word = 200;
constexpr std::int64_t entries_a_piece = 1000;

// Held until the transaction ends; the next statement sees what its last holder wrote.
constexpr pg::Query lock{"lock_audit", "select pg_advisory_xact_lock(hashtextextended('audit:' || $1::text, 0))"};
constexpr pg::Query newest{
    "newest_audit_entry",
    "select coalesce(max(ordinal), 0) as ordinal, date_trunc('milliseconds', clock_timestamp()) as at, "
    "coalesce((select hash from audit_entries where tenant_id = $1 order by ordinal desc limit 1), '') as hash "
    "from audit_entries where tenant_id = $1"};
constexpr pg::Query insert{"insert_audit_entry",
                           "insert into audit_entries (tenant_id, ordinal, at, actor, action, subject, detail, hash) "
                           "values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)"};
constexpr pg::Query list{"list_audit",
                         "select tenant_id, ordinal, at, actor, action, subject, detail, hash from audit_entries "
                         "where $1::text is null or tenant_id = $1 order by at desc, tenant_id, ordinal desc limit $2"};
constexpr pg::Query piece{"audit_after",
                          "select tenant_id, ordinal, at, actor, action, subject, detail, hash from audit_entries "
                          "where tenant_id = $1 and ordinal > $2 order by ordinal limit $3"};

std::string limited(std::string_view text) {
  return pg::storable_text(text.substr(0, longest_word));
}

/// One spelling, whatever the database makes of it.
std::string canonical(std::string_view json) {
  auto const parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  return parsed.is_discarded() ? "{}" : parsed.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

AuditEntry to_entry(pg::Row const& row) {
  return AuditEntry{.fact = {.tenant = base::TenantId{row.text("tenant_id")},
                             .actor = row.text("actor"),
                             .action = row.text("action"),
                             .subject = row.text("subject"),
                             .detail_json = row.text("detail")},
                    .ordinal = row.integer("ordinal"),
                    .at = row.time("at"),
                    .hash = row.text("hash")};
}

std::vector<AuditEntry> to_entries(pg::Rows const& rows) {
  std::vector<AuditEntry> entries;
  for (std::size_t i = 0; i < rows.size(); ++i) entries.push_back(to_entry(rows[i]));
  return entries;
}

}  // namespace

std::string hash_of(std::string const& before, AuditEntry const& entry) {
  std::string covered;
  // With its length before each part: no two entries spell the same bytes.
  for (auto const& part : {before, entry.fact.tenant.text(), std::to_string(entry.ordinal), base::iso8601(entry.at),
                           entry.fact.actor, entry.fact.action, entry.fact.subject, canonical(entry.fact.detail_json)})
    covered += std::to_string(part.size()) + ":" + part;
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<std::uint8_t const*>(covered.data()), covered.size(), digest.data());
  return base::to_hex(digest);
}

Async<Result<>> append_audit(pg::Session& session, AuditFact fact) {
  auto const locked = co_await session.run(lock, pg::Params{fact.tenant});
  if (!locked) co_return std::unexpected{locked.error()};
  auto const last = co_await session.run(newest, pg::Params{fact.tenant});
  if (!last) co_return std::unexpected{last.error()};
  auto const before = (*last)[0];
  AuditEntry entry{.fact = {.tenant = fact.tenant,
                            .actor = limited(fact.actor),
                            .action = limited(fact.action),
                            .subject = limited(fact.subject),
                            .detail_json = canonical(pg::storable_json(fact.detail_json))},
                   .ordinal = before.integer("ordinal") + 1,
                   .at = before.time("at"),
                   .hash = {}};
  entry.hash = hash_of(before.text("hash"), entry);
  pg::Params params{entry.fact.tenant,  entry.ordinal,          entry.at,  entry.fact.actor, entry.fact.action,
                    entry.fact.subject, entry.fact.detail_json, entry.hash};
  auto const written = co_await session.run(insert, std::move(params));
  if (!written) co_return std::unexpected{written.error()};
  co_return Result<>{};
}

Async<Result<std::vector<AuditEntry>>> list_audit(pg::Session& session, std::optional<base::TenantId> tenant,
                                                  int limit) {
  pg::Params params{tenant, limit};
  auto const rows = co_await session.run(list, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return to_entries(*rows);
}

Async<Result<AuditVerdict>> verify_audit(pg::Session& session, base::TenantId tenant) {
  AuditVerdict verdict;
  for (std::int64_t last = 0;;) {
    pg::Params params{tenant, last, entries_a_piece};
    auto const rows = co_await session.run(piece, std::move(params));
    if (!rows) co_return std::unexpected{rows.error()};
    for (auto const& entry : to_entries(*rows)) {
      ++verdict.entries;
      bool const follows = entry.ordinal == last + 1 && entry.hash == hash_of(verdict.newest_hash, entry);
      last = entry.ordinal;
      if (verdict.first_wrong) continue;
      if (follows)
        verdict.newest_hash = entry.hash;
      else
        verdict.first_wrong = entry.ordinal;
    }
    if (rows->empty()) co_return verdict;
  }
}

}  // namespace crm
