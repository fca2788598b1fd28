#include "crm/integrations/reseal.h"

#include <algorithm>

#include "crm/store/audit.h"
#include "crm/store/sealed_secrets.h"
#include "gateway/net/utf8.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using base::Result;

SecretPlace place_of(StoredSecret const& secret) {
  return {secret.tenant, "integrations", secret.integration.text(), "secret"};
}

/// One in 256 wrong keys gives a padding that looks right, and noise before it.
bool is_text(std::string_view secret) {
  auto const is_control = [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
  };
  return !secret.empty() && net::is_utf8(secret) && std::ranges::none_of(secret, is_control);
}

Async<Result<base::Secret>> open(pg::Session& session, Vault& vault, StoredSecret const& secret) {
  auto opened = co_await vault.reveal(session, place_of(secret), secret.text);
  if (opened && !is_text(opened->reveal())) co_return cannot_open();
  co_return opened;
}

Async<Result<bool>> can_open(pg::Session& session, Vault& vault, StoredSecret const& secret) {
  auto const opened = co_await open(session, vault, secret);
  if (!opened) co_return std::unexpected{opened.error()};
  co_return true;
}

/// False when somebody else has written it meanwhile.
Async<Result<bool>> reseal(pg::Session& session, Vault& vault, StoredSecret const& seen, std::string const& actor) {
  auto const now = co_await lock_secret(session, seen.tenant, seen.integration);
  if (!now) co_return std::unexpected{now.error()};
  if (!*now || (*now)->text != seen.text) co_return false;
  auto opened = co_await open(session, vault, seen);
  if (!opened) co_return std::unexpected{opened.error()};
  auto sealed = co_await vault.seal(session, place_of(seen), *std::move(opened));
  if (!sealed) co_return std::unexpected{sealed.error()};
  auto const replaced = co_await replace_secret(session, {seen.tenant, seen.integration, *std::move(sealed)});
  if (!replaced) co_return std::unexpected{replaced.error()};
  AuditFact fact{
      .tenant = seen.tenant, .actor = actor, .action = "secret.resealed", .subject = seen.integration.text()};
  auto const noted = co_await append_audit(session, std::move(fact));
  if (!noted) co_return std::unexpected{noted.error()};
  co_return true;
}

}  // namespace

Async<Result<Resealed>> reseal_legacy(pg::Pool& pool, Vault& vault, bool dry_run, std::string actor,
                                      base::Instant deadline) {
  auto session = pool.until(deadline);
  auto const secrets = co_await secrets_in_no_envelope(session);
  if (!secrets) co_return std::unexpected{secrets.error()};
  Resealed result;
  for (auto const& each : *secrets) {
    if (!is_legacy_secret(each.text)) {
      ++result.foreign;
      continue;
    }
    auto const work = [&](pg::Transaction& transaction) {
      return dry_run ? can_open(transaction, vault, each) : reseal(transaction, vault, each, actor);
    };
    auto const done = co_await pool.transaction(work, deadline);
    if (!done && done.error().fault != Fault::refused) co_return std::unexpected{done.error()};
    if (!done)
      ++result.unreadable;
    else if (*done)
      ++result.done;
  }
  co_return result;
}

}  // namespace crm
