#pragma once
#include <optional>
#include <string>

#include "crm/outbox/adapter.h"
#include "crm/pg/session.h"

namespace crm {

// Our records as a CRM is told of them, as they are at this moment. Nothing when the tenant has no such record.

base::Async<base::Result<std::optional<CrmContact>>> contact_for_crm(pg::Session& session, base::TenantId tenant,
                                                                     std::string contact);
base::Async<base::Result<std::optional<CrmAppointment>>> appointment_for_crm(pg::Session& session,
                                                                             base::TenantId tenant,
                                                                             std::string appointment);
base::Async<base::Result<std::optional<CrmLead>>> lead_for_crm(pg::Session& session, base::TenantId tenant,
                                                               std::string lead);
/// By CallId.
base::Async<base::Result<std::optional<CrmCall>>> call_for_crm(pg::Session& session, base::TenantId tenant,
                                                               std::string call);

}  // namespace crm
