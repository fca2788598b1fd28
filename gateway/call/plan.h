#pragma once
#include <memory>
#include <optional>
#include <string>

#include "crm/model/call_record.h"
#include "crm/routing.h"
#include "gateway/base/ids.h"
#include "gateway/call/carrier.h"

namespace gateway {

/// Everything decided about a call before its first sound; taken from the routing snapshot, so no database is asked.
struct CallPlan {
  base::CallId id;
  base::CallSid sid;
  base::AccountSid account;
  crm::CallDirection direction = crm::CallDirection::inbound;
  std::string from;
  std::string to;
  std::shared_ptr<crm::NumberRoute const> route;
  /// The record of a call that another process served before it died: it goes on here.
  std::optional<crm::CallRecord> earlier;

  CarrierCall at_carrier() const { return {account, sid}; }
  std::string const& person() const { return direction == crm::CallDirection::inbound ? from : to; }
  std::string const& our_number() const { return direction == crm::CallDirection::inbound ? to : from; }
};

}  // namespace gateway
