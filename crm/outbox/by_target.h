#pragma once
#include "crm/outbox/deliverer.h"

namespace crm {

/// Gives each row to the one who tells its kind of target.
class ByTarget final : public Deliverer {
 public:
  ByTarget(Deliverer& sms, Deliverer& webhook, Deliverer& crm) : sms_{sms}, webhook_{webhook}, crm_{crm} {}

  base::Async<Delivered<Receipt>> deliver(OutboxRow row, base::Instant deadline) override {
    auto& target = !row.integration ? sms_ : row.provider == "webhook" ? webhook_ : crm_;
    return target.deliver(std::move(row), deadline);
  }

 private:
  Deliverer& sms_;
  Deliverer& webhook_;
  Deliverer& crm_;
};

}  // namespace crm
