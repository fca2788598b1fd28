#include "crm/outcome/contact_match.h"

#include <algorithm>

#include "crm/desk/dictated_number.h"
#include "crm/model/phone_number.h"

namespace crm {
namespace {

/// Tools whose parameters are about the person on the phone.
bool tells_of_the_person(ToolFact const& fact) {
  bool const about = fact.tool == "update_contact" || fact.tool == "book_appointment" || fact.tool == "take_message";
  return about && (fact.ok || fact.unavailable);
}

std::vector<ContactId> in_both(std::vector<ContactId> const& one, std::vector<ContactId> const& other) {
  std::vector<ContactId> both;
  for (auto const& each : one)
    if (std::ranges::find(other, each) != other.end()) both.push_back(each);
  return both;
}

}  // namespace

LearnedContact learn_contact(CallRecord const& call, std::vector<ToolFact> const& tools) {
  LearnedContact learned;
  for (auto const& fact : tools) {
    if (!tells_of_the_person(fact)) continue;
    // The last word stands: people correct themselves.
    if (!fact.name.empty()) learned.name = fact.name;
    if (!fact.email.empty()) learned.email = fact.email;
    if (auto number = dictated_number(fact.phone, our_number_of(call))) learned.dictated = *std::move(number);
  }
  if (is_e164(person_of(call)))
    learned.phone = person_of(call);
  else if (!learned.name.empty())
    learned.phone = learned.dictated;
  return learned;
}

ContactDecision decide_contact(ContactCandidates const& known, LearnedContact const& learned) {
  auto const found = [&](ContactMatch match, ContactId const& contact) {
    return ContactDecision{known.is_new ? ContactMatch::created : match, contact, {}};
  };
  if (known.by_phone.size() == 1) return found(ContactMatch::phone, known.by_phone.front());
  if (known.by_call.size() == 1) {
    bool const further = !in_both(known.by_call, known.by_further_phone).empty();
    return found(further ? ContactMatch::further_phone : ContactMatch::phone, known.by_call.front());
  }
  if (known.by_further_phone.size() == 1) return {ContactMatch::further_phone, known.by_further_phone.front(), {}};
  if (known.by_further_phone.size() > 1) {
    auto const narrowed = in_both(known.by_further_phone, known.by_email);
    if (narrowed.size() == 1) return {ContactMatch::email, narrowed.front(), {}};
    if (known.by_further_phone_and_name.size() == 1)
      return {ContactMatch::further_phone, known.by_further_phone_and_name.front(), {}};
    return {ContactMatch::ambiguous, std::nullopt, known.by_further_phone};
  }
  if (known.by_email.size() == 1) return {ContactMatch::email, known.by_email.front(), {}};
  if (known.by_email.size() > 1) return {ContactMatch::ambiguous, std::nullopt, known.by_email};
  if (learned.phone.empty()) return {ContactMatch::withheld, std::nullopt, {}};
  return {ContactMatch::created, std::nullopt, {}};
}

}  // namespace crm
