#pragma once
#include "crm/integrations/reveal.h"
#include "crm/outbox/deliverer.h"
#include "crm/pg/pool.h"
#include "gateway/net/http_client.h"

namespace crm::webhook {

/// Posts each row to the URL of its integration, signed per Standard Webhooks. webhook-id is the row's id, so that a
/// receiver knows what it has had. An endpoint that answers 410 is not asked again: its integration is disabled.
class Webhook final : public Deliverer {
 public:
  /// `http` goes where tenants say: it must be guarded against addresses that are none of theirs.
  Webhook(net::HttpClient& http, pg::Pool& pool, base::TimeSource& time, Reveal reveal)
      : http_{http}, pool_{pool}, time_{time}, reveal_{std::move(reveal)} {}

  base::Async<Delivered<Receipt>> deliver(OutboxRow row, base::Instant deadline) override;
  /// Posts a "ping" event, which changes nothing at either side.
  base::Async<Delivered<Receipt>> test(Integration integration, base::Instant deadline);

 private:
  base::Async<Delivered<Receipt>> post(Integration integration, OutboxRow row, base::Instant deadline);

  net::HttpClient& http_;
  pg::Pool& pool_;
  base::TimeSource& time_;
  Reveal reveal_;
};

/// What an answer to such a request means. Pure.
Delivered<Receipt> receipt_from(net::Response const& answer, base::TimeSource::Wall now);

}  // namespace crm::webhook
