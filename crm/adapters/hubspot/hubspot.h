#pragma once
#include <deque>
#include <map>
#include <memory>

#include "crm/adapters/hubspot/api.h"
#include "crm/outbox/adapter.h"

namespace crm::hubspot {

/// One tenant's HubSpot account. Our keys live there in unique properties of our own, made on the first write, so a
/// write may be repeated at will. Where an account takes no unique property for a kind of record, an ambiguous fault
/// says in `retry_after` how long the search index may hide what was written.
class HubSpot final : public Adapter {
 public:
  HubSpot(net::HttpClient& http, base::TimeSource& time, Settings settings);
  HubSpot(HubSpot const&) = delete;
  HubSpot& operator=(HubSpot const&) = delete;

  base::Async<Delivered<ConnectionReport>> test_connection(base::Instant deadline) override;
  base::Async<Delivered<std::optional<RemoteContact>>> find_contact(std::string phone, std::string email,
                                                                    base::Instant deadline) override;
  base::Async<Delivered<Receipt>> upsert_contact(CrmContact contact, std::optional<std::string> known,
                                                 base::Instant deadline) override;
  base::Async<Delivered<Receipt>> upsert_appointment(CrmAppointment appointment, std::string contact,
                                                     std::optional<std::string> known, base::Instant deadline) override;
  /// In an account without leads the contact's hs_lead_status says it, and the receipt names the contact.
  base::Async<Delivered<Receipt>> create_lead(CrmLead lead, std::string contact, std::optional<std::string> known,
                                              base::Instant deadline) override;
  base::Async<Delivered<Receipt>> log_call(CrmCall call, std::string contact, std::optional<std::string> known,
                                           base::Instant deadline) override;

 private:
  /// What an account has for one type of record.
  struct Shape {
    Schema schema;
    bool key_is_unique = false;
    base::Instant learned;
  };
  using ShapePtr = std::shared_ptr<Shape const>;  // a write under way keeps the shape it began with
  struct Plan {
    Record record;
    bool key_is_unique = false;
    std::string contact;  ///< To be linked; may be empty.
    std::optional<std::string> known;
    base::Instant deadline;
  };

  base::Async<Answered<ShapePtr>> shape_of(std::string type, std::string key_property, base::Instant deadline);
  base::Async<Answered<Schema>> read_schema(std::string type, base::Instant deadline);
  base::Async<Answered<bool>> make_key_property(std::string type, std::string key_property, Schema const& schema,
                                                base::Instant deadline);
  base::Async<Delivered<Receipt>> save(Plan plan);
  base::Async<Answered<Written>> place(Plan const& plan);
  base::Async<Answered<Written>> place_unknown(Plan const& plan);
  base::Async<Answered<Written>> create(Plan const& plan);
  base::Async<Answered<Written>> settle_conflict(Plan const& plan, Denial denial);
  base::Async<Answered<Written>> update(Plan const& plan, std::string id, bool with_email);
  base::Async<Answered<std::optional<std::string>>> find_by_key(Plan const& plan);
  base::Async<Delivered<Receipt>> mark_contact(std::string status, std::string contact, base::Instant deadline);

  base::TimeSource& time_;
  Settings settings_;
  Api api_;
  std::map<std::string, ShapePtr, std::less<>> shapes_;
  /// Made where keys are not unique, and perhaps not yet in the search index; oldest first.
  struct Made {
    std::string key_property, key, id;
    base::Instant at;
  };
  std::deque<Made> recent_;
};

}  // namespace crm::hubspot
