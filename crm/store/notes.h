#pragma once
#include <optional>
#include <string>

#include "crm/model/contact.h"
#include "crm/pg/session.h"

namespace crm {

enum class NoteKind { note, message };

/// Something to remember about a contact, or a message that somebody left for the business.
struct Note {
  std::string id;  ///< "note_…".
  base::TenantId tenant;
  std::optional<ContactId> contact;
  std::optional<base::CallId> call;
  NoteKind kind = NoteKind::note;
  std::string author;
  std::string body;
};

base::Async<base::Result<>> insert_note(pg::Session& session, Note note);

}  // namespace crm
