#include "crm/integrations/reveal.h"

namespace crm {
namespace {

base::Async<base::Result<base::Secret>> reveal(Vault& vault, pg::Pool& pool, Integration integration,
                                               base::Instant deadline) {
  if (!integration.sealed_secret) co_return base::Secret{};
  auto session = pool.until(deadline);
  auto secret = co_await vault.reveal(session, place_of(integration), *integration.sealed_secret);
  co_return secret;
}

}  // namespace

SecretPlace place_of(Integration const& integration) {
  return {integration.tenant, "integrations", integration.id.text(), "secret"};
}

Reveal reveal_with(Vault& vault, pg::Pool& pool) {
  return [&vault, &pool](Integration integration, base::Instant deadline) {
    return reveal(vault, pool, std::move(integration), deadline);
  };
}

}  // namespace crm
