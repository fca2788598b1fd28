#include "crm/store/contacts.h"

#include <nlohmann/json.hpp>

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{
    "insert_contact",
    "insert into contacts (id, tenant_id, full_name, phone_e164, email, company, tags, custom_fields, source, "
    "timezone, consent, do_not_contact, typed_fields) values ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, "
    "array(select jsonb_array_elements_text($7::jsonb)), $8::jsonb, $9, $10, $11::jsonb, $12, "
    "array(select jsonb_array_elements_text($13::jsonb)))"};
constexpr pg::Query insert_if_new{
    "ensure_contact",
    "insert into contacts (id, tenant_id, full_name, phone_e164, email, company, tags, custom_fields, source, "
    "timezone, consent, do_not_contact, typed_fields) values ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, "
    "array(select jsonb_array_elements_text($7::jsonb)), $8::jsonb, $9, $10, $11::jsonb, $12, "
    "array(select jsonb_array_elements_text($13::jsonb))) on conflict do nothing"};
constexpr pg::Query by_id_or_phone{"find_ensured_contact",
                                   "select id from contacts where tenant_id = $1 and (id = $2 or phone_e164 = $3) "
                                   "order by phone_e164 is not distinct from $3 desc limit 1"};
constexpr pg::Query by_phone{
    "find_contact_by_phone",
    "select id, tenant_id, full_name, coalesce(phone_e164, '') as phone_e164, coalesce(email, '') as email, company, "
    "to_json(tags) as tags, custom_fields, source, timezone, consent, do_not_contact, to_json(typed_fields) as "
    "typed_fields from contacts where tenant_id = $1 and phone_e164 = $2"};
constexpr pg::Query by_id{
    "find_contact",
    "select id, tenant_id, full_name, coalesce(phone_e164, '') as phone_e164, coalesce(email, '') as email, company, "
    "to_json(tags) as tags, custom_fields, source, timezone, consent, do_not_contact, to_json(typed_fields) as "
    "typed_fields from contacts where tenant_id = $1 and id = $2"};
constexpr pg::Query by_further_phone{
    "contacts_by_further_phone",
    "select id, tenant_id, full_name, coalesce(phone_e164, '') as phone_e164, coalesce(email, '') as email, company, "
    "to_json(tags) as tags, custom_fields, source, timezone, consent, do_not_contact, to_json(typed_fields) as "
    "typed_fields from contacts where tenant_id = $1 and id in (select contact_id from contact_phones "
    "where tenant_id = $1 and e164 = $2) order by id limit 8"};

constexpr pg::Query learn{
    "learn_about_contact",
    "with old as (select * from contacts where tenant_id = $1 and id = $2), "
    "facts as (select "
    "case when $3 <> '' and not 'full_name' = any(typed_fields) and (full_name = '' or source = 'call') "
    "then $3 else full_name end as full_name, "
    "case when $4 <> '' and not 'email' = any(typed_fields) and (email is null or source = 'call') "
    "then $4 else email end as email, "
    "case when phone_e164 is null and $5 <> '' and not 'phone_e164' = any(typed_fields) and not exists "
    "(select 1 from contacts other where other.tenant_id = $1 and other.phone_e164 = $5) "
    "then $5 else phone_e164 end as phone_e164 from old), "
    "further as (insert into contact_phones (tenant_id, contact_id, e164) select $1, $2, $5 from facts "
    "where $5 <> '' and phone_e164 is distinct from $5 on conflict do nothing) "
    "update contacts c set full_name = f.full_name, email = f.email, phone_e164 = f.phone_e164, updated_at = now() "
    "from facts f where c.tenant_id = $1 and c.id = $2 and "
    "(c.full_name, c.email, c.phone_e164) is distinct from (f.full_name, f.email, f.phone_e164)"};

std::vector<std::string> texts(std::string const& json) {
  auto const list = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  std::vector<std::string> found;
  for (auto const& entry : list) {
    if (entry.is_string()) found.push_back(entry.get<std::string>());
  }
  return found;
}

/// A value that is no text comes as its JSON.
std::map<std::string, std::string> fields(std::string const& json) {
  auto const object = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  std::map<std::string, std::string> found;
  if (!object.is_object()) return found;
  for (auto const& [key, value] : object.items())
    found[key] = value.is_string() ? value.get<std::string>() : value.dump();
  return found;
}

Contact to_contact(pg::Row const& row) {
  Contact contact{ContactId{row.text("id")}, base::TenantId{row.text("tenant_id")}, row.text("full_name"),
                  row.text("phone_e164")};
  contact.email = row.text("email");
  contact.company = row.text("company");
  contact.tags = texts(row.text("tags"));
  contact.custom_fields = fields(row.text("custom_fields"));
  contact.source = row.text("source");
  contact.timezone = row.text_if_any("timezone");
  contact.consent_json = row.text("consent");
  contact.do_not_contact = row.boolean("do_not_contact");
  contact.typed_fields = texts(row.text("typed_fields"));
  return contact;
}

std::vector<Contact> to_contacts(pg::Rows const& rows) {
  std::vector<Contact> contacts;
  for (std::size_t i = 0; i < rows.size(); ++i) contacts.push_back(to_contact(rows[i]));
  return contacts;
}

pg::Params params_of(Contact const& contact) {
  auto const json = [](auto const& value) { return nlohmann::json(value).dump(); };
  return {
      contact.id,           contact.tenant,         contact.full_name,           contact.phone_e164, contact.email,
      contact.company,      json(contact.tags),     json(contact.custom_fields), contact.source,     contact.timezone,
      contact.consent_json, contact.do_not_contact, json(contact.typed_fields)};
}

Async<Result<std::optional<Contact>>> find_one(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<Contact> contact;
  if (!rows->empty()) contact = to_contact((*rows)[0]);
  co_return contact;
}

}  // namespace

Async<Result<>> insert_contact(pg::Session& session, Contact contact) {
  auto const rows = co_await session.run(insert, params_of(contact));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::optional<Contact>>> find_contact_by_phone(pg::Session& session, base::TenantId tenant,
                                                            std::string phone_e164) {
  pg::Params params{tenant, phone_e164};
  co_return co_await find_one(session, by_phone, std::move(params));
}

Async<Result<std::optional<Contact>>> find_contact(pg::Session& session, base::TenantId tenant, ContactId id) {
  pg::Params params{tenant, id};
  co_return co_await find_one(session, by_id, std::move(params));
}

Async<Result<std::vector<Contact>>> contacts_with_number(pg::Session& session, base::TenantId tenant,
                                                         std::string e164) {
  auto const own = co_await find_contact_by_phone(session, tenant, e164);
  if (!own) co_return std::unexpected{own.error()};
  if (*own) co_return std::vector<Contact>{**own};
  pg::Params params{tenant, e164};
  auto const rows = co_await session.run(by_further_phone, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return to_contacts(*rows);
}

Async<Result<ContactId>> ensure_contact(pg::Session& session, Contact contact) {
  auto const inserted = co_await session.run(insert_if_new, params_of(contact));
  if (!inserted) co_return std::unexpected{inserted.error()};
  pg::Params params{contact.tenant, contact.id, contact.phone_e164};
  auto const rows = co_await session.run(by_id_or_phone, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->empty()) co_return base::fail(base::Fault::not_found, "the contact is gone again");
  co_return ContactId{(*rows)[0].text("id")};
}

Async<Result<>> learn_about_contact(pg::Session& session, LearnedOfContact learned) {
  pg::Params params{learned.tenant, learned.contact, learned.full_name, learned.email, learned.phone};
  auto const rows = co_await session.run(learn, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace crm
