#include "crm/outbox/crm_deliverer.h"

#include <nlohmann/json.hpp>

#include "crm/outbox/http_fault.h"
#include "crm/outbox/subjects.h"
#include "crm/store/external_links.h"
#include "crm/store/integrations.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using Kind = DeliveryFault::Kind;

std::unexpected<DeliveryFault> fault(Kind kind, std::string detail) {
  return std::unexpected{DeliveryFault{.kind = kind, .detail = std::move(detail)}};
}

bool passes(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out || fault == Fault::cancelled;
}

std::string text_of(nlohmann::json const& json, char const* name) {
  if (!json.is_object()) return {};
  auto const found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

ExternalLink link_to(OutboxRow const& row, std::string kind, std::string our_id) {
  return {row.tenant, row.integration.value_or(IntegrationId{}), std::move(kind), std::move(our_id)};
}

}  // namespace

Async<Delivered<Receipt>> CrmDeliverer::deliver(OutboxRow row, base::Instant deadline) {
  auto session = pool_.until(deadline);
  auto integration = co_await find_integration(session, row.tenant, row.integration.value_or(IntegrationId{}));
  if (!integration) co_return std::unexpected{not_sent(integration.error())};
  if (!*integration) co_return fault(Kind::rejected, "there is no such integration");
  auto const adapter = co_await connect(**std::move(integration), deadline);
  if (!adapter) co_return std::unexpected{adapter.error()};
  auto const payload = nlohmann::json::parse(row.payload_json, nullptr, /*allow_exceptions=*/false);
  Telling const telling{**adapter,
                        row,
                        row.contact.value_or(text_of(payload, "contact_id")),
                        text_of(payload, "appointment_id"),
                        text_of(payload, "lead_id"),
                        row.call.value_or(text_of(payload, "call_id")),
                        deadline};
  auto outcome = co_await tell(telling);
  co_return outcome;
}

Async<Delivered<ConnectionReport>> CrmDeliverer::test(Integration integration, base::Instant deadline) {
  auto const adapter = co_await connect(std::move(integration), deadline);
  if (!adapter) co_return std::unexpected{adapter.error()};
  auto report = co_await (*adapter)->test_connection(deadline);
  co_return report;
}

/// An adapter lives as long as the settings it was made from: it knows what its CRM's limits leave.
Async<Delivered<std::shared_ptr<Adapter>>> CrmDeliverer::connect(Integration integration, base::Instant deadline) {
  auto const there = connected_.find(integration.id);
  bool const fresh = there != connected_.end() && there->second.settings_json == integration.settings_json &&
                     there->second.sealed_secret == integration.sealed_secret;
  if (fresh) co_return there->second.adapter;
  auto secret = co_await reveal_(integration, deadline);
  if (!secret && passes(secret.error().fault)) co_return std::unexpected{not_sent(secret.error())};
  if (!secret) co_return fault(Kind::needs_reauth, "the secret cannot be opened");
  std::shared_ptr<Adapter> adapter = make_(integration.provider, {integration.settings_json, *std::move(secret)});
  if (!adapter) co_return fault(Kind::needs_reauth, "no adapter takes these settings");
  connected_[integration.id] = {integration.settings_json, integration.sealed_secret, adapter};
  co_return adapter;
}

Async<Delivered<Receipt>> CrmDeliverer::tell(Telling const& telling) {
  static constexpr Subject<CrmAppointment> appointment{"appointment", appointment_for_crm,
                                                       &Adapter::upsert_appointment};
  static constexpr Subject<CrmLead> lead{"lead", lead_for_crm, &Adapter::create_lead};
  static constexpr Subject<CrmCall> call{"call", call_for_crm, &Adapter::log_call};

  Delivered<Receipt> contact{Receipt{}};
  if (!telling.contact.empty()) contact = co_await tell_contact(telling);
  if (!contact) co_return contact;
  auto const& event = telling.row.event;
  Delivered<Receipt> outcome = contact;
  if (event.starts_with("appointment.") && !telling.appointment.empty())
    outcome = co_await tell_record(telling, appointment, telling.appointment, contact->remote_id);
  else if (event.starts_with("lead.") && !telling.lead.empty())
    outcome = co_await tell_record(telling, lead, telling.lead, contact->remote_id);
  else if (event == "call.ended" && !telling.call.empty())
    outcome = co_await tell_record(telling, call, telling.call, contact->remote_id);
  co_return outcome;  // for other events there is nothing but the contact to tell
}

Async<Delivered<Receipt>> CrmDeliverer::tell_contact(Telling const& telling) {
  auto const before = co_await known(telling, "contact", telling.contact);
  if (!before) co_return std::unexpected{before.error()};
  bool const is_about_contact = telling.row.event.starts_with("contact.");
  if (*before && !is_about_contact) co_return Receipt{.remote_id = **before};
  auto session = pool_.until(telling.deadline);
  auto const contact = co_await contact_for_crm(session, telling.row.tenant, telling.contact);
  if (!contact) co_return std::unexpected{not_sent(contact.error())};
  if (!*contact && !is_about_contact) co_return Receipt{};  // deleted since; the call happened all the same
  if (!*contact) co_return fault(Kind::rejected, "there is no such contact");
  auto there = co_await telling.adapter.upsert_contact(**contact, *before, telling.deadline);
  auto outcome = co_await remember(telling, "contact", telling.contact, std::move(there));
  co_return outcome;
}

/// All but contacts, who come first and whom the others belong to.
template <class Record>
Async<Delivered<Receipt>> CrmDeliverer::tell_record(Telling const& telling, Subject<Record> subject, std::string our_id,
                                                    std::string contact) {
  std::string const kind{subject.kind};
  auto const before = co_await known(telling, kind, our_id);
  if (!before) co_return std::unexpected{before.error()};
  auto session = pool_.until(telling.deadline);
  auto record = co_await subject.read(session, telling.row.tenant, our_id);
  if (!record) co_return std::unexpected{not_sent(record.error())};
  if (!*record) co_return fault(Kind::rejected, "there is no such " + kind);
  auto there =
      co_await (telling.adapter.*subject.tell)(**std::move(record), std::move(contact), *before, telling.deadline);
  auto outcome = co_await remember(telling, kind, std::move(our_id), std::move(there));
  co_return outcome;
}

Async<Delivered<std::optional<std::string>>> CrmDeliverer::known(Telling const& telling, std::string kind,
                                                                 std::string our_id) {
  auto session = pool_.until(telling.deadline);
  auto const link = co_await find_link(session, link_to(telling.row, std::move(kind), std::move(our_id)));
  if (!link) co_return std::unexpected{not_sent(link.error())};
  co_return *link;
}

Async<Delivered<Receipt>> CrmDeliverer::remember(Telling const& telling, std::string kind, std::string our_id,
                                                 Delivered<Receipt> outcome) {
  if (!outcome || outcome->remote_id.empty()) co_return outcome;
  auto session = pool_.until(telling.deadline);
  auto const kept =
      co_await keep_link(session, link_to(telling.row, std::move(kind), std::move(our_id)), outcome->remote_id);
  // The adapter finds it again by our key.
  if (!kept) co_return std::unexpected{not_sent(kept.error())};
  co_return outcome;
}

}  // namespace crm
