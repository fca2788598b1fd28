#pragma once
#include <functional>
#include <map>
#include <memory>

#include "crm/adapters/adapters.h"
#include "crm/integrations/reveal.h"
#include "crm/outbox/deliverer.h"
#include "crm/pg/pool.h"

namespace crm {

/// Tells CRMs: our records are read when they are told, so that the last word there is our last word. What something is
/// called there is kept as soon as it is known: a delivery that stops in the middle goes on where it was.
class CrmDeliverer final : public Deliverer {
 public:
  using MakeAdapter = std::function<std::unique_ptr<Adapter>(std::string_view provider, AdapterSettings settings)>;

  CrmDeliverer(pg::Pool& pool, Reveal reveal, MakeAdapter make)
      : pool_{pool}, reveal_{std::move(reveal)}, make_{std::move(make)} {}

  base::Async<Delivered<Receipt>> deliver(OutboxRow row, base::Instant deadline) override;
  /// Whether the CRM lets us in.
  base::Async<Delivered<ConnectionReport>> test(Integration integration, base::Instant deadline);

 private:
  /// What a row is about, and where it goes.
  struct Telling {
    Adapter& adapter;
    OutboxRow const& row;
    std::string contact, appointment, lead, call;  // ours; empty when there is none
    base::Instant deadline;
  };
  /// How one kind of record is read here and told there.
  template <class Record>
  struct Subject {
    std::string_view kind;  // of its external link
    base::Async<base::Result<std::optional<Record>>> (*read)(pg::Session&, base::TenantId, std::string our_id);
    base::Async<Delivered<Receipt>> (Adapter::*tell)(Record, std::string contact, std::optional<std::string> known,
                                                     base::Instant deadline);
  };
  struct Connected {
    std::string settings_json;
    std::optional<std::string> sealed_secret;
    std::shared_ptr<Adapter> adapter;  // shared with deliveries under way when settings change
  };

  base::Async<Delivered<std::shared_ptr<Adapter>>> connect(Integration integration, base::Instant deadline);
  base::Async<Delivered<Receipt>> tell(Telling const& telling);
  base::Async<Delivered<Receipt>> tell_contact(Telling const& telling);
  template <class Record>
  base::Async<Delivered<Receipt>> tell_record(Telling const& telling, Subject<Record> subject, std::string our_id,
                                              std::string contact);
  base::Async<Delivered<std::optional<std::string>>> known(Telling const& telling, std::string kind,
                                                           std::string our_id);
  base::Async<Delivered<Receipt>> remember(Telling const& telling, std::string kind, std::string our_id,
                                           Delivered<Receipt> outcome);

  pg::Pool& pool_;
  Reveal reveal_;
  MakeAdapter make_;
  std::map<IntegrationId, Connected> connected_;
};

}  // namespace crm
