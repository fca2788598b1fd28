#include "crm/store/external_links.h"

#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query find{"find_external_link",
                         "select remote_id from external_links where tenant_id = $1 and integration_id = $2 "
                         "and kind = $3 and our_id = $4"};
constexpr pg::Query keep{"keep_external_link",
                         "insert into external_links (tenant_id, integration_id, kind, our_id, remote_id) "
                         "values ($1, $2, $3, $4, $5) on conflict (tenant_id, integration_id, kind, our_id) "
                         "do update set remote_id = excluded.remote_id "
                         "where external_links.remote_id <> excluded.remote_id"};

}  // namespace

Async<Result<std::optional<std::string>>> find_link(pg::Session& session, ExternalLink link) {
  pg::Params params{link.tenant, link.integration, link.kind, link.our_id};
  auto const rows = co_await session.run(find, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<std::string> remote_id;
  if (!rows->empty()) remote_id = (*rows)[0].text("remote_id");
  co_return remote_id;
}

Async<Result<>> keep_link(pg::Session& session, ExternalLink link, std::string remote_id) {
  pg::Params params{link.tenant, link.integration, link.kind, link.our_id, pg::storable_text(remote_id)};
  auto const rows = co_await session.run(keep, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace crm
