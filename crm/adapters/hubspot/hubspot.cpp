#include "crm/adapters/hubspot/hubspot.h"

#include <algorithm>

namespace crm::hubspot {
namespace {

using base::Async;
using base::Instant;
using Kind = DeliveryFault::Kind;

std::unexpected<DeliveryFault> fault(Denial const& denial) {
  return std::unexpected{denial.fault};
}

RemoteContact to_contact(RemoteObject const& object) {
  auto const value = [&object](char const* name) {
    auto const found = object.properties.find(name);
    return found == object.properties.end() ? std::string{} : found->second;
  };
  auto phone = value("phone");
  return {object.id, value("firstname"), value("lastname"), value("email"),
          phone.empty() ? value("mobilephone") : phone};
}

/// Search finds look-alikes: only the very number counts. The oldest record when several have it.
RemoteObject const* with_number(std::vector<RemoteObject> const& hits, std::string const& e164,
                                std::string const& country_code) {
  RemoteObject const* best = nullptr;
  for (auto const& hit : hits) {
    bool has_it = false;
    for (auto const* name : {"phone", "mobilephone"}) {
      auto const found = hit.properties.find(name);
      has_it |= found != hit.properties.end() && to_e164(found->second, country_code) == e164;
    }
    if (!has_it) continue;
    bool const older =
        !best || hit.id.size() < best->id.size() || (hit.id.size() == best->id.size() && hit.id < best->id);
    if (older) best = &hit;
  }
  return best;
}

}  // namespace

HubSpot::HubSpot(net::HttpClient& http, base::TimeSource& time, Settings settings)
    : time_{time}, settings_{std::move(settings)}, api_{http, time, settings_} {}

Async<Delivered<ConnectionReport>> HubSpot::test_connection(Instant deadline) {
  auto const account = co_await api_.account(deadline);
  if (!account) co_return fault(account.error());
  auto const readable = co_await api_.peek("contacts", deadline);
  if (!readable) co_return fault(readable.error());
  co_return ConnectionReport{account->portal_id};
}

Async<Delivered<std::optional<RemoteContact>>> HubSpot::find_contact(std::string phone, std::string email,
                                                                     Instant deadline) {
  if (!phone.empty()) {
    auto const hits = co_await api_.search("contacts", encode_phone_search(phone), deadline);
    if (!hits) co_return fault(hits.error());
    auto const* hit = with_number(*hits, phone, settings_.country_code);
    if (hit) co_return std::optional{to_contact(*hit)};
  }
  if (email.empty()) co_return std::optional<RemoteContact>{};
  auto const found = co_await api_.find("contacts", email, "email",
                                        {"firstname", "lastname", "email", "phone", "mobilephone"}, deadline);
  if (!found) co_return fault(found.error());
  if (!*found) co_return std::optional<RemoteContact>{};
  co_return std::optional{to_contact(**found)};
}

Async<Delivered<Receipt>> HubSpot::upsert_contact(CrmContact contact, std::optional<std::string> known,
                                                  Instant deadline) {
  auto const shape = co_await shape_of("contacts", std::string{contact_key_property}, deadline);
  if (!shape) co_return fault(shape.error());
  Plan plan{to_record(contact, settings_, (*shape)->schema), (*shape)->key_is_unique, {}, std::move(known), deadline};
  auto receipt = co_await save(std::move(plan));
  co_return receipt;
}

Async<Delivered<Receipt>> HubSpot::upsert_appointment(CrmAppointment appointment, std::string contact,
                                                      std::optional<std::string> known, Instant deadline) {
  auto const shape = co_await shape_of("meetings", std::string{appointment_key_property}, deadline);
  if (!shape) co_return fault(shape.error());
  Plan plan{to_record(appointment, (*shape)->schema), (*shape)->key_is_unique, std::move(contact), std::move(known),
            deadline};
  auto receipt = co_await save(std::move(plan));
  co_return receipt;
}

Async<Delivered<Receipt>> HubSpot::log_call(CrmCall call, std::string contact, std::optional<std::string> known,
                                            Instant deadline) {
  auto const shape = co_await shape_of("calls", std::string{call_key_property}, deadline);
  if (!shape) co_return fault(shape.error());
  Plan plan{to_record(call, (*shape)->schema), (*shape)->key_is_unique, std::move(contact), std::move(known), deadline};
  auto receipt = co_await save(std::move(plan));
  co_return receipt;
}

Async<Delivered<Receipt>> HubSpot::create_lead(CrmLead lead, std::string contact, std::optional<std::string> known,
                                               Instant deadline) {
  if (contact.empty())
    co_return std::unexpected{
        DeliveryFault{.kind = Kind::rejected, .detail = "HubSpot takes no lead without a contact"}};
  auto const shape = co_await shape_of("leads", std::string{lead_key_property}, deadline);
  if (!shape) {
    // Leads come with the larger editions only.
    bool const no_leads = shape.error().fault.http_status == 403 && shape.error().fault.kind == Kind::rejected;
    if (!no_leads) co_return fault(shape.error());
    auto marked = co_await mark_contact(std::move(lead.status), std::move(contact), deadline);
    co_return marked;
  }
  Plan plan{to_record(lead, settings_, (*shape)->schema), (*shape)->key_is_unique, contact, std::move(known), deadline};
  auto receipt = co_await save(std::move(plan));
  bool const no_leads = !receipt && receipt.error().http_status == 403 && receipt.error().kind == Kind::rejected;
  if (!no_leads) co_return receipt;
  auto marked = co_await mark_contact(std::move(lead.status), std::move(contact), deadline);
  co_return marked;
}

Async<Delivered<Receipt>> HubSpot::mark_contact(std::string status, std::string contact, Instant deadline) {
  std::ranges::transform(status, status.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  auto body = encode_update({{"hs_lead_status", status.empty() ? "NEW" : std::move(status)}});
  auto const written = co_await api_.update("contacts", contact, std::move(body), deadline);
  if (!written) co_return fault(written.error());
  co_return Receipt{.remote_id = written->id, .http_status = written->status};
}

}  // namespace crm::hubspot
