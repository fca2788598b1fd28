#include "crm/store/sealed_secrets.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query no_envelope{"secrets_in_no_envelope",
                                "select tenant_id, id, secret from integrations "
                                "where secret is not null and secret not like 'v1.%' order by tenant_id, id"};
constexpr pg::Query lock{"lock_secret",
                         "select tenant_id, id, secret from integrations "
                         "where tenant_id = $1 and id = $2 and secret is not null for update"};
constexpr pg::Query replace{"replace_secret",
                            "update integrations set secret = $3, updated_at = now() where tenant_id = $1 and id = $2"};

StoredSecret to_secret(pg::Row const& row) {
  return {base::TenantId{row.text("tenant_id")}, IntegrationId{row.text("id")}, row.text("secret")};
}

}  // namespace

Async<Result<std::vector<StoredSecret>>> secrets_in_no_envelope(pg::Session& session) {
  auto const rows = co_await session.run(no_envelope, {});
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<StoredSecret> secrets;
  for (std::size_t i = 0; i < rows->size(); ++i) secrets.push_back(to_secret((*rows)[i]));
  co_return secrets;
}

Async<Result<std::optional<StoredSecret>>> lock_secret(pg::Session& session, base::TenantId tenant,
                                                       IntegrationId integration) {
  pg::Params params{tenant, integration};
  auto const rows = co_await session.run(lock, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<StoredSecret> secret;
  if (!rows->empty()) secret = to_secret((*rows)[0]);
  co_return secret;
}

Async<Result<>> replace_secret(pg::Session& session, StoredSecret secret) {
  pg::Params params{secret.tenant, secret.integration, secret.text};
  auto const rows = co_await session.run(replace, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->affected() == 0) co_return base::fail(base::Fault::not_found, "no such integration");
  co_return Result<>{};
}

}  // namespace crm
