// How a record comes to stand in HubSpot exactly once, however often it is written.
#include "crm/adapters/hubspot/hubspot.h"

namespace crm::hubspot {
namespace {

using base::Async;
using base::Instant;
using Kind = DeliveryFault::Kind;

/// What was written may stay out of search results this long (reports of up to 30 s).
constexpr auto index_lag = std::chrono::seconds{30};

std::string group_for(std::string_view type, Schema const& schema) {
  auto const found = schema.find(neighbour_of_key(type));
  if (found != schema.end() && !found->second.group.empty()) return found->second.group;
  return type == "contacts" ? "contactinformation" : "engagement";
}

bool is_status(Denial const& denial, int status) {
  return denial.fault.http_status == status;
}

/// That a key of ours is taken may be said as a bad value, too.
bool is_conflict(Denial const& denial, std::string const& key_property) {
  return is_status(denial, 409) || denial.refusal.category == "CONFLICT" ||
         denial.refusal.bad_properties.contains(key_property);
}

}  // namespace

Async<Answered<HubSpot::ShapePtr>> HubSpot::shape_of(std::string type, std::string key_property, Instant deadline) {
  auto const known = shapes_.find(type);
  if (known != shapes_.end() && known->second->learned + settings_.schema_lifetime > time_.now())
    co_return known->second;
  auto schema = co_await read_schema(type, deadline);
  if (!schema) co_return std::unexpected{schema.error()};
  auto shape = std::make_shared<Shape>();
  auto const key = schema->find(key_property);
  if (key != schema->end()) {
    shape->key_is_unique = key->second.is_unique;
  } else {
    auto const made = co_await make_key_property(type, key_property, *schema, deadline);
    if (!made) co_return std::unexpected{made.error()};
    shape->key_is_unique = *made;
  }
  shape->schema = std::move(*schema);
  shape->learned = time_.now();
  shapes_[type] = shape;
  co_return shape;
}

Async<Answered<Schema>> HubSpot::read_schema(std::string type, Instant deadline) {
  auto schema = co_await api_.schema(type, deadline);
  if (schema || !schema.error().too_large) co_return schema;
  auto const names = looked_for(type, settings_);
  schema = co_await api_.schema_of(type, names, deadline);
  co_return schema;
}

/// Whether the property that now is there is unique.
Async<Answered<bool>> HubSpot::make_key_property(std::string type, std::string key_property, Schema const& schema,
                                                 Instant deadline) {
  auto const group = group_for(type, schema);
  auto made = co_await api_.create_property(type, encode_key_property(type, key_property, group, true), deadline);
  // An account may have used up its unique properties, or allow none for this type.
  if (!made && is_status(made.error(), 400))
    made = co_await api_.create_property(type, encode_key_property(type, key_property, group, false), deadline);
  if (made) co_return made->is_unique;
  if (!is_conflict(made.error(), key_property)) co_return std::unexpected{made.error()};
  // Somebody was faster, perhaps we ourselves in a request whose answer was lost.
  auto const again = co_await read_schema(type, deadline);
  if (!again) co_return std::unexpected{again.error()};
  auto const found = again->find(key_property);
  co_return found != again->end() && found->second.is_unique;
}

Async<Delivered<Receipt>> HubSpot::save(Plan plan) {
  auto written = co_await place(plan);
  if (!written && leave_out(plan.record, written.error().refusal.bad_properties)) {
    shapes_.erase(plan.record.type);  // it has become wrong
    written = co_await place(plan);
  }
  if (!written) {
    auto fault = written.error().fault;
    if (fault.kind == Kind::ambiguous && !plan.key_is_unique) fault.retry_after = index_lag;
    co_return std::unexpected{std::move(fault)};
  }
  // Created with its link. A link that failed would have the record looked for before the index shows it.
  bool const is_linked = plan.record.type == "leads" || (written->created && !plan.key_is_unique);
  if (!plan.contact.empty() && !is_linked) {
    auto const linked = co_await api_.link(plan.record.type, written->id, plan.contact, plan.deadline);
    if (!linked) co_return std::unexpected{linked.error().fault};
  }
  co_return Receipt{.remote_id = written->id, .created = written->created, .http_status = written->status};
}

Async<Answered<Written>> HubSpot::place(Plan const& plan) {
  if (plan.known) {
    auto updated = co_await update(plan, *plan.known, true);
    if (updated) co_return updated;
    if (is_conflict(updated.error(), plan.record.key_property)) {
      auto settled = co_await settle_conflict(plan, updated.error());
      co_return settled;
    }
    // Deleted there, or merged into another record.
    if (!is_status(updated.error(), 404)) co_return updated;
  }
  auto placed = co_await place_unknown(plan);
  co_return placed;
}

Async<Answered<Written>> HubSpot::place_unknown(Plan const& plan) {
  bool const can_upsert = plan.key_is_unique && plan.record.type != "leads" && plan.record.only_at_birth.empty();
  if (!can_upsert) {
    auto const found = co_await find_by_key(plan);
    if (!found) co_return std::unexpected{found.error()};
    if (*found) {
      auto updated = co_await update(plan, **found, true);
      if (updated || !is_conflict(updated.error(), plan.record.key_property)) co_return updated;
      auto settled = co_await settle_conflict(plan, updated.error());
      co_return settled;
    }
  }
  auto created = co_await create(plan);
  if (created || !is_conflict(created.error(), plan.record.key_property)) co_return created;
  auto settled = co_await settle_conflict(plan, created.error());
  co_return settled;
}

/// A lead must be born with its contact, which an upsert cannot say.
Async<Answered<Written>> HubSpot::create(Plan const& plan) {
  auto const& record = plan.record;
  if (plan.key_is_unique && record.type != "leads") {
    auto written = co_await api_.upsert(record.type, encode_upsert(record), plan.deadline);
    co_return written;
  }
  auto written = co_await api_.create(record.type, encode_create(record, plan.contact), plan.deadline);
  if (written && !plan.key_is_unique) recent_.push_back({record.key_property, record.key, written->id, time_.now()});
  co_return written;
}

/// An e-mail address belongs to one contact, a key of ours to one record: whose is it?
Async<Answered<Written>> HubSpot::settle_conflict(Plan const& plan, Denial denial) {
  auto const ours = co_await find_by_key(plan);
  if (!ours) co_return std::unexpected{ours.error()};
  bool const has_email = plan.record.properties.contains("email");
  if (*ours) {
    // Ours exists, so the address is another's; or it was made while we asked.
    auto updated = co_await update(plan, **ours, !has_email);
    co_return updated;
  }
  if (plan.known && has_email) {
    auto updated = co_await update(plan, *plan.known, false);
    if (updated || !is_status(updated.error(), 404)) co_return updated;
  }
  auto const existing = denial.refusal.existing_id;
  if (existing.empty() || plan.record.type != "contacts") co_return std::unexpected{std::move(denial)};
  auto const other = co_await api_.find("contacts", existing, "", {plan.record.key_property}, plan.deadline);
  if (!other) co_return std::unexpected{other.error()};
  bool const is_free = *other && !(*other)->properties.contains(plan.record.key_property);
  if (is_free) {
    auto adopted = co_await update(plan, existing, true);
    co_return adopted;
  }
  // Two of our contacts share an address: each keeps a record, the first one has the address.
  Plan without = plan;
  bool const possible = leave_out(without.record, {"email"});
  if (!possible) co_return std::unexpected{std::move(denial)};
  auto created = co_await create(without);
  co_return created;
}

Async<Answered<Written>> HubSpot::update(Plan const& plan, std::string id, bool with_email) {
  auto properties = plan.record.properties;
  if (!with_email) properties.erase("email");
  properties[plan.record.key_property] = plan.record.key;
  auto written = co_await api_.update(plan.record.type, std::move(id), encode_update(properties), plan.deadline);
  co_return written;
}

Async<Answered<std::optional<std::string>>> HubSpot::find_by_key(Plan const& plan) {
  auto const& record = plan.record;
  if (plan.key_is_unique) {
    auto const found =
        co_await api_.find(record.type, record.key, record.key_property, {record.key_property}, plan.deadline);
    if (!found) co_return std::unexpected{found.error()};
    co_return *found ? std::optional{(*found)->id} : std::nullopt;
  }
  while (!recent_.empty() && recent_.front().at + 2 * index_lag < time_.now()) recent_.pop_front();
  for (auto const& made : recent_)
    if (made.key == record.key && made.key_property == record.key_property) co_return std::optional{made.id};
  auto const hits =
      co_await api_.search(record.type, encode_key_search(record.key_property, record.key), plan.deadline);
  if (!hits) co_return std::unexpected{hits.error()};
  for (auto const& hit : *hits) {
    auto const key = hit.properties.find(record.key_property);
    if (key != hit.properties.end() && key->second == record.key) co_return std::optional{hit.id};
  }
  co_return std::optional<std::string>{};
}

}  // namespace crm::hubspot
