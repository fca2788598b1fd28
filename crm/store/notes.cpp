#include "crm/store/notes.h"

namespace crm {
namespace {

constexpr pg::Query insert{
    "insert_note",
    "insert into notes (tenant_id, id, contact_id, call_id, kind, author, body) values ($1, $2, $3, $4, $5, $6, $7)"};

}  // namespace

base::Async<base::Result<>> insert_note(pg::Session& session, Note note) {
  pg::Params params{note.tenant, note.id,  note.contact, note.call, note.kind == NoteKind::message ? "message" : "note",
                    note.author, note.body};
  auto const rows = co_await session.run(insert, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return base::Result<>{};
}

}  // namespace crm
