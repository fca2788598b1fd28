#pragma once
#include <optional>
#include <string>

#include "crm/model/contact.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::conflict when the tenant already has a contact with that number.
base::Async<base::Result<>> insert_contact(pg::Session& session, Contact contact);
base::Async<base::Result<std::optional<Contact>>> find_contact_by_phone(pg::Session& session, base::TenantId tenant,
                                                                        std::string phone_e164);

}  // namespace crm
