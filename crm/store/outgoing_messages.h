#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/business_hours.h"
#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

/// A message on its way out, as the one who sends it needs it.
struct OutgoingMessage {
  std::optional<base::AccountSid> account;  ///< Of the call it belongs to.
  std::string from;
  std::string to;
  std::string body;
  std::optional<std::string> provider_sid;         ///< Set when the carrier has accepted it.
  HoursOfDay calling_hours = usual_calling_hours;  ///< Of the tenant, by the recipient's clock.
  std::string timezone;                            ///< Of the tenant.
  std::optional<std::string> recipient_timezone;   ///< Of the contact with that number, else of the message's.
  bool recipient_refuses = false;  ///< Somebody with that number, or the message's contact, wants no texts.
};

/// Nothing when the tenant has no outbound message of that id.
base::Async<base::Result<std::optional<OutgoingMessage>>> find_outgoing_message(pg::Session& session,
                                                                                base::TenantId tenant, std::string id);
/// The first of these ids of the carrier that is no message of ours yet.
base::Async<base::Result<std::optional<std::string>>> first_unknown_message(pg::Session& session,
                                                                            std::vector<std::string> provider_sids);
/// The carrier has accepted it. Safe to repeat; a later status stays.
base::Async<base::Result<>> note_message_accepted(pg::Session& session, base::TenantId tenant, std::string id,
                                                  std::string provider_sid);
/// What the carrier says has become of it: "sent", "delivered", "undelivered" or "failed". Nothing changes a final
/// word. False when there is nothing to change.
base::Async<base::Result<bool>> note_message_progress(pg::Session& session, base::TenantId tenant, std::string id,
                                                      std::string provider_sid, std::string status);
/// The carrier will never take it.
base::Async<base::Result<>> note_message_failed(pg::Session& session, base::TenantId tenant, std::string id);

}  // namespace crm
