#include "crm/store/contacts.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{"insert_contact",
                           "insert into contacts (id, tenant_id, full_name, phone_e164) values ($1, $2, $3, $4)"};
constexpr pg::Query by_phone{
    "find_contact_by_phone",
    "select id, tenant_id, full_name, phone_e164 from contacts where tenant_id = $1 and phone_e164 = $2"};

Contact to_contact(pg::Row const& row) {
  return Contact{ContactId{row.text("id")}, base::TenantId{row.text("tenant_id")}, row.text("full_name"),
                 row.text("phone_e164")};
}

}  // namespace

Async<Result<>> insert_contact(pg::Session& session, Contact contact) {
  pg::Params params{contact.id, contact.tenant, contact.full_name, contact.phone_e164};
  auto const rows = co_await session.run(insert, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::optional<Contact>>> find_contact_by_phone(pg::Session& session, base::TenantId tenant,
                                                            std::string phone_e164) {
  pg::Params params{tenant, phone_e164};
  auto const rows = co_await session.run(by_phone, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<Contact> contact;
  if (!rows->empty()) contact = to_contact((*rows)[0]);
  co_return contact;
}

}  // namespace crm
