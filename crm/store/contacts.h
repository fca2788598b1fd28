#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/contact.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::conflict when the tenant already has a contact with that number.
base::Async<base::Result<>> insert_contact(pg::Session& session, Contact contact);
/// By its own number.
base::Async<base::Result<std::optional<Contact>>> find_contact_by_phone(pg::Session& session, base::TenantId tenant,
                                                                        std::string phone_e164);
base::Async<base::Result<std::optional<Contact>>> find_contact(pg::Session& session, base::TenantId tenant,
                                                               ContactId id);
/// Whose number this is or could be: the one contact whose own it is, else all that have it as a further one, eight at
/// most.
base::Async<base::Result<std::vector<Contact>>> contacts_with_number(pg::Session& session, base::TenantId tenant,
                                                                     std::string e164);
/// Inserts the contact, unless there is one with its id or its number; the id of the one there is.
base::Async<base::Result<ContactId>> ensure_contact(pg::Session& session, Contact contact);

/// What a call has taught about a contact; empty where nothing was said.
struct LearnedOfContact {
  base::TenantId tenant;
  ContactId contact;
  std::string full_name;
  std::string email;  ///< Lower case.
  std::string phone;  ///< E.164. Becomes the contact's own when it has none, else a further one.
};

/// Fills what is unknown. What a person typed stays, and what is known is only replaced when it came from a call, too.
base::Async<base::Result<>> learn_about_contact(pg::Session& session, LearnedOfContact learned);

}  // namespace crm
