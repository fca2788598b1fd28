#include "crm/desk/caller_contact.h"

#include <algorithm>
#include <cctype>

#include "crm/store/appointments.h"
#include "crm/store/contacts.h"

namespace crm {
namespace {

using base::Async;
using base::Result;
using Found = std::optional<Contact>;

std::string lower(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// The id of somebody who is only known from a call with a withheld number: the call makes one such contact.
ContactId contact_id_of(base::CallId const& call) {
  std::string_view rest = call.text();
  if (rest.starts_with("call_")) rest.remove_prefix(5);
  return ContactId{"con_" + std::string{rest}};
}

Found only_one(std::vector<Contact> const& candidates, std::optional<std::string> const& name) {
  if (candidates.size() == 1) return candidates.front();
  if (!name) return std::nullopt;
  auto const said = lower(*name);
  auto const has_it = [&](Contact const& contact) { return lower(contact.full_name) == said; };
  if (std::ranges::count_if(candidates, has_it) != 1) return std::nullopt;
  return *std::ranges::find_if(candidates, has_it);
}

Async<Result<Found>> make(pg::Session& session, DeskTask const& task, ContactId id, std::string phone) {
  Contact contact{std::move(id), task.caller.tenant, task.parameters.name.value_or(""), std::move(phone)};
  contact.source = "call";
  auto const ensured = co_await ensure_contact(session, std::move(contact));
  if (!ensured) co_return std::unexpected{ensured.error()};
  co_return co_await find_contact(session, task.caller.tenant, *ensured);
}

/// Somebody for what the caller dictated or called themselves.
Async<Result<Found>> by_word(pg::Session& session, DeskTask const& task, std::optional<std::string> dictated) {
  auto const id = contact_id_of(task.caller.call);
  if (dictated) {
    auto const candidates = co_await contacts_with_number(session, task.caller.tenant, *dictated);
    if (!candidates) co_return std::unexpected{candidates.error()};
    if (candidates->empty()) co_return co_await make(session, task, id, *dictated);
    co_return only_one(*candidates, task.parameters.name);
  }
  if (!task.parameters.name) co_return std::nullopt;
  co_return co_await make(session, task, id, "");
}

Async<Result<Found>> find_or_make(pg::Session& session, DeskTask const& task, std::optional<std::string> dictated) {
  auto const known = co_await find_caller(session, task);
  if (!known || *known) co_return known;
  if (!task.knows_number()) co_return co_await by_word(session, task, std::move(dictated));
  auto const candidates = co_await contacts_with_number(session, task.caller.tenant, task.caller.person);
  if (!candidates) co_return std::unexpected{candidates.error()};
  if (!candidates->empty()) co_return std::nullopt;
  co_return co_await make(session, task, ContactId{base::new_id("con")}, task.caller.person);
}

}  // namespace

Async<Result<Found>> find_caller(pg::Session& session, DeskTask const& task) {
  if (!task.knows_number()) {
    co_return co_await find_contact(session, task.caller.tenant, contact_id_of(task.caller.call));
  }
  auto const candidates = co_await contacts_with_number(session, task.caller.tenant, task.caller.person);
  if (!candidates) co_return std::unexpected{candidates.error()};
  co_return only_one(*candidates, task.parameters.name);
}

Async<Result<Found>> contact_of_caller(pg::Session& session, DeskTask const& task,
                                       std::optional<std::string> dictated) {
  auto contact = co_await find_or_make(session, task, dictated);
  if (!contact || !*contact) co_return contact;
  LearnedOfContact learned{.tenant = task.caller.tenant,
                           .contact = (*contact)->id,
                           .full_name = task.parameters.name.value_or(""),
                           .email = lower(task.parameters.email.value_or("")),
                           .phone = ""};
  // A withheld caller's only number; else one that is dictated may be anybody's.
  bool const their_only_one = !task.knows_number() && (*contact)->phone_e164.empty();
  if (their_only_one) learned.phone = dictated.value_or("");
  auto const noted = co_await learn_about_contact(session, std::move(learned));
  if (!noted) co_return std::unexpected{noted.error()};
  auto const adopted = co_await adopt_appointments(session, task.caller.tenant, task.caller.call, (*contact)->id);
  if (!adopted) co_return std::unexpected{adopted.error()};
  co_return co_await find_contact(session, task.caller.tenant, (*contact)->id);
}

}  // namespace crm
