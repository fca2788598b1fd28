#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/model/contact.h"
#include "crm/outcome/tool_facts.h"

namespace crm {

/// Which rule found the contact of a call, or why there is none.
enum class ContactMatch {
  phone,          ///< The person's number is a contact's own.
  further_phone,  ///< It is a further number of exactly one contact.
  email,          ///< Exactly one contact has the address that was given in the call.
  created,        ///< Nobody was known: the contact is new since this call.
  ambiguous,      ///< It leads to several: a person decides.
  withheld,       ///< There is no number, and nothing said in the call stands for it.
};

constexpr std::string_view to_string(ContactMatch match) {
  switch (match) {
    case ContactMatch::phone:
      return "phone";
    case ContactMatch::further_phone:
      return "further_phone";
    case ContactMatch::email:
      return "email";
    case ContactMatch::created:
      return "created";
    case ContactMatch::ambiguous:
      return "ambiguous";
    case ContactMatch::withheld:
      return "withheld";
  }
  return "withheld";
}

constexpr std::optional<ContactMatch> contact_match_from(std::string_view text) {
  for (auto const match : {ContactMatch::phone, ContactMatch::further_phone, ContactMatch::email, ContactMatch::created,
                           ContactMatch::ambiguous, ContactMatch::withheld}) {
    if (to_string(match) == text) return match;
  }
  return std::nullopt;
}

/// What a call has taught us about the person; empty where nothing was said.
struct LearnedContact {
  std::string phone;  ///< E.164 by which we know them: their caller id, else what they gave with their name.
  std::string name;
  std::string email;
  std::string dictated;  ///< E.164 that was given in the call, for confirmations.
};

LearnedContact learn_contact(CallRecord const& call, std::vector<ToolFact> const& tools);

/// Whom the tenant knows that this could be.
struct ContactCandidates {
  std::vector<ContactId> by_call;   ///< Whom the desk knew in the call: it made them known, or booked for them.
  std::vector<ContactId> by_phone;  ///< One at most.
  std::vector<ContactId> by_further_phone;
  std::vector<ContactId> by_further_phone_and_name;
  std::vector<ContactId> by_email;
  bool is_new = false;  ///< The one of by_phone or by_call was created in this very call.
};

struct ContactDecision {
  ContactMatch match = ContactMatch::withheld;
  std::optional<ContactId> contact;   ///< None when it has yet to be created, or nobody can say.
  std::vector<ContactId> candidates;  ///< For a person to choose from, when ambiguous.
  bool operator==(ContactDecision const&) const = default;
};

/// The rules in their order: the first that finds exactly one decides.
ContactDecision decide_contact(ContactCandidates const& known, LearnedContact const& learned);

}  // namespace crm
