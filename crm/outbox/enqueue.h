#pragma once
#include <optional>
#include <string>

#include "crm/model/contact.h"
#include "crm/pg/session.h"

namespace crm {

/// Something that happened and that every integration of the tenant which wants such events must hear.
struct EventToTell {
  std::string event;  ///< "appointment.booked"
  base::TenantId tenant;
  std::optional<base::CallId> call;
  std::optional<ContactId> contact;
  std::optional<std::string> appointment;
  std::string data_json = "{}";  ///< What the receiver needs to know beside the ids; a JSON object.
  /// What tells this event from another of its kind about the same thing: "apt_…:v2". Empty: the appointment, else the
  /// call, else the contact, which has such an event once.
  std::string occasion = {};
};

/// Queues the event for each active integration whose list of events is empty or has it, in the caller's transaction.
/// Telling it again changes nothing: the row's id follows from event, occasion and integration. The payload is
/// {"event", "tenant_id", "call_id", "contact_id", "appointment_id", "at", "data"}, ids that are not known null, `at`
/// the time of the transaction. Rows of one contact (else call, else appointment) are delivered in their order.
base::Async<base::Result<>> enqueue_event(pg::Session& session, EventToTell event);

/// A text message to a person.
struct SmsToSend {
  base::TenantId tenant;
  std::string from;  ///< E.164, a number of the tenant.
  std::string to;    ///< E.164.
  std::string body;  ///< Cut at 1600 characters, Twilio's limit.
  std::optional<base::CallId> call;
  std::optional<ContactId> contact;
  std::optional<std::string> appointment;
  std::string occasion;  ///< The same occasion is one message: "apt_…:v1:confirmation".
  /// It answers what the recipient asks for in a call that goes on: it is sent at once. Everything else waits for the
  /// calling hours where the recipient is, and holds up no answer meanwhile.
  bool answers_caller = false;
};

/// Queues the message in the caller's transaction: a row of `messages` and one of the outbox with the payload
/// {"message_id", "answers_caller"}. False, and nothing is queued, when somebody with that number, or the contact
/// itself, does not want to be contacted or to get texts. True also when the message was queued before.
base::Async<base::Result<bool>> enqueue_sms(pg::Session& session, SmsToSend message);

}  // namespace crm
