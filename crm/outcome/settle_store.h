#pragma once
// The statements with which a call is settled. Each belongs in the transaction of settle_call().
#include <optional>
#include <string>

#include "crm/model/call_outcome.h"
#include "crm/model/call_record.h"
#include "crm/outcome/contact_match.h"
#include "crm/outcome/missed_requests.h"
#include "crm/pg/session.h"

namespace crm {

/// What the database knows of a call that is about to be settled.
struct KnownCall {
  base::CallId id;  ///< As it is stored: a record that was begun twice keeps its first.
  std::optional<ContactId> contact;
  std::optional<ContactMatch> match;
  std::optional<OutcomeCategory> category;  ///< None before it was settled for the first time.
  double confidence = 0;
  ContactCandidates candidates;
  std::optional<std::string> booked;  ///< Appointment that was made in the call and stands,
  bool booking_was_heard = false;     ///< and that the caller has heard read back.
  bool is_to_be_told = false;         ///< Other systems want to hear of this tenant.
};

/// Nothing when the call is not stored. Until the transaction ends nobody else enriches its conversation.
base::Async<base::Result<std::optional<KnownCall>>> look_up_call(pg::Session& session, CallRecord const& call,
                                                                 LearnedContact learned);

struct CreatedContact {
  ContactId id;
  bool created = false;  ///< Else somebody else was quicker.
};
base::Async<base::Result<CreatedContact>> create_contact(pg::Session& session, base::TenantId tenant,
                                                         LearnedContact learned);

/// Fills what is empty, and replaces what an earlier call said; never what a person typed, nor what has changed since
/// `call_ended`.
base::Async<base::Result<>> merge_contact(pg::Session& session, base::TenantId tenant, ContactId contact,
                                          LearnedContact learned, Wall call_ended);

base::Async<base::Result<>> ask_for_review(pg::Session& session, base::TenantId tenant, base::CallId call,
                                           std::vector<ContactId> candidates);

struct Settlement;
/// Writes down what could not be done, as a message with this id. False when it is there, or when the desk did it after
/// all and only its answer was lost.
base::Async<base::Result<bool>> put_missed(pg::Session& session, Settlement const& settlement, MissedRequest missed,
                                           std::string note);

struct Settlement {
  base::TenantId tenant;
  base::CallId call;        ///< As stored,
  base::CallId also_known;  ///< and as the record has it.
  std::optional<ContactId> contact;
  ContactMatch match = ContactMatch::withheld;
  CallOutcome outcome;
  bool replaces = false;  ///< The outcome is more than what is stored: category, reason and follow-up change.
  std::optional<std::string> dictated_number;
  std::optional<std::string> caller_number;
  std::optional<std::string> conversation;
};
/// Notes the contact, frees what the call only held, and writes the outcome with an enrichment that has waited for it.
base::Async<base::Result<>> put_settlement(pg::Session& session, Settlement settlement);

/// What was told about the end of the call and is still on its way out says the newer outcome.
base::Async<base::Result<>> correct_event(pg::Session& session, base::TenantId tenant, base::CallId call,
                                          std::string data_json);

}  // namespace crm
