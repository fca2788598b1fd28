#pragma once
// What every external CRM must be able to do for us. One folder under crm/adapters/ a system, one line in
// crm/adapters/adapters.cpp.
#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "gateway/base/async.h"
#include "gateway/base/time_source.h"

namespace crm {

/// Why a delivery did not come about, in the terms that decide what happens next.
struct DeliveryFault {
  enum class Kind {
    not_sent,      ///< Nothing reached them: try again.
    rate_limited,  ///< They say slow down; see retry_after.
    unavailable,   ///< They are there and cannot now; nothing was written.
    ambiguous,     ///< It may have been written: look before the next create.
    needs_reauth,  ///< The tenant must connect again; nothing else helps.
    rejected,      ///< This payload will never be taken.
  };
  Kind kind = Kind::not_sent;
  std::string detail;  ///< For people, without names, numbers and secrets.
  std::optional<std::chrono::milliseconds> retry_after;
  std::optional<int> http_status;
  std::string request_id;  ///< Theirs, to ask their support about.
};

/// What was done, and what it is called there.
struct Receipt {
  std::string remote_id;
  bool created = false;  ///< Else it was there and now says the same.
  std::optional<int> http_status;
  std::string request_id;
};

template <class T>
using Delivered = std::expected<T, DeliveryFault>;

/// Our records as a CRM sees them. `key` is our id: the same thing always comes with the same key.
struct CrmContact {
  std::string key;
  std::string first_name;
  std::string last_name;
  std::string email;  ///< Empty when unknown, like every text here.
  std::string phone;  ///< E.164.
  std::string company;
  std::vector<std::string> tags;
  std::string source;
  std::map<std::string, std::string> custom_fields;
};

struct CrmAppointment {
  std::string key;
  std::string title;
  Wall starts_at{};
  Wall ends_at{};
  std::string location;
  std::string notes;
  std::string status;  ///< unconfirmed, confirmed, cancelled, completed or no_show.
};

struct CrmLead {
  std::string key;
  std::string business_name;
  std::string status;
  std::string category;
  std::string source;
  std::string notes;
};

struct CrmCall {
  std::string key;  ///< The CallSid.
  CallDirection direction = CallDirection::inbound;
  std::string from;
  std::string to;
  Wall started_at{};
  std::chrono::milliseconds duration{0};
  std::string status;   ///< As Twilio names it.
  std::string outcome;  ///< Category of the outcome.
  std::string summary;
  std::string recording_url;
};

/// A contact as the CRM has it.
struct RemoteContact {
  std::string remote_id;
  std::string first_name;
  std::string last_name;
  std::string email;
  std::string phone;
};

struct ConnectionReport {
  std::string account;  ///< Name or number of the account there.
};

/// One tenant's account at one CRM. Every function is safe to repeat with the same `key`: it finds what an earlier try
/// may have left there instead of creating it again. `known` is the remote id of an earlier receipt, when there is one.
/// Ends at `deadline`. Lives on one thread; calls may overlap.
class Adapter {
 public:
  virtual ~Adapter() = default;

  virtual base::Async<Delivered<ConnectionReport>> test_connection(base::Instant deadline) = 0;
  /// By number (E.164) or e-mail, whichever is not empty; the number first. Exact matches only.
  virtual base::Async<Delivered<std::optional<RemoteContact>>> find_contact(std::string phone, std::string email,
                                                                            base::Instant deadline) = 0;
  virtual base::Async<Delivered<Receipt>> upsert_contact(CrmContact contact, std::optional<std::string> known,
                                                         base::Instant deadline) = 0;
  /// `contact` is the remote id of whose appointment it is.
  virtual base::Async<Delivered<Receipt>> upsert_appointment(CrmAppointment appointment, std::string contact,
                                                             std::optional<std::string> known,
                                                             base::Instant deadline) = 0;
  virtual base::Async<Delivered<Receipt>> create_lead(CrmLead lead, std::string contact,
                                                      std::optional<std::string> known, base::Instant deadline) = 0;
  virtual base::Async<Delivered<Receipt>> log_call(CrmCall call, std::string contact, std::optional<std::string> known,
                                                   base::Instant deadline) = 0;
};

}  // namespace crm
