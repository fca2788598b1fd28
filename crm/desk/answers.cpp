#include "crm/desk/answers.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crm/desk/local_time.h"

namespace crm {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_spoken = 3;

DeskAnswer answer(Json const& json, bool is_error = false) {
  return DeskAnswer{.json = json.dump(-1, ' ', false, Json::error_handler_t::replace),
                    .is_error = is_error,
                    .to_read_back = std::nullopt};
}

std::string time_of(Slot const& slot) {
  return spoken(slot.starts_at, slot.utc_offset);
}
std::string time_of(Appointment const& appointment) {
  return spoken(appointment.starts_at, appointment.utc_offset);
}

Json list_of(std::vector<Slot> const& slots) {
  auto list = Json::array();
  for (auto const& slot : slots)
    list.push_back({{"start", iso_local(slot.starts_at, slot.utc_offset)}, {"say", time_of(slot)}});
  return list;
}

Json to_json(Appointment const& appointment) {
  return {{"appointment_id", appointment.id.text()},
          {"start", iso_local(appointment.starts_at, appointment.utc_offset)},
          {"when", time_of(appointment)},
          {"service", appointment.service},
          {"status", to_string(appointment.status)}};
}

Json list_of(std::vector<Appointment> const& appointments) {
  auto list = Json::array();
  for (auto const& appointment : appointments) list.push_back(to_json(appointment));
  return list;
}

/// "a, b or c", three at most.
template <class Timed>
std::string choice_of(std::vector<Timed> const& from) {
  std::string choice;
  auto const count = std::min(from.size(), most_spoken);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) choice += i + 1 == count ? " or " : ", ";
    choice += time_of(from[i]);
  }
  return choice;
}

DeskAnswer news_of(AppointmentNews const& news, std::string const& say) {
  Json json{{"ok", true}};
  json.update(to_json(news.appointment));
  json["sms_queued"] = news.sms_queued;
  json["say"] = say;
  return answer(json);
}

}  // namespace

DeskAnswer refusal(std::string_view reason, std::string_view say) {
  return answer({{"ok", false}, {"reason", reason}, {"say", say}});
}

DeskAnswer refusal_with_slots(std::string_view reason, std::string_view say, std::vector<Slot> const& slots) {
  auto const more = slots.empty()
                        ? std::string{" There is no other free time in the coming weeks. Shall I take a message?"}
                        : fmt::format(" I could offer {}.", choice_of(slots));
  return answer({{"ok", false}, {"reason", reason}, {"say", std::string{say} + more}, {"slots", list_of(slots)}});
}

DeskAnswer which_appointment(std::vector<Appointment> const& appointments) {
  return answer({{"ok", false},
                 {"reason", "which_appointment"},
                 {"say", fmt::format("Which appointment do you mean: {}?", choice_of(appointments))},
                 {"appointments", list_of(appointments)}});
}

DeskAnswer unavailable(std::string_view tool) {
  auto const* const say =
      tool == "take_message"
          ? "I have written that down, and somebody will get back to you."
          : "I cannot reach our calendar right now. I can take a message, and somebody will call you back.";
  return answer({{"ok", false}, {"reason", "unavailable"}, {"say", say}}, /*is_error=*/true);
}

DeskAnswer slots_found(std::vector<Slot> const& slots, std::string_view timezone) {
  return answer({{"ok", true},
                 {"timezone", timezone},
                 {"say", fmt::format("I could offer {}.", choice_of(slots))},
                 {"slots", list_of(slots)}});
}

DeskAnswer slot_held(Appointment const& held, int minutes) {
  return answer({{"ok", true},
                 {"start", iso_local(held.starts_at, held.utc_offset)},
                 {"when", time_of(held)},
                 {"held_minutes", minutes},
                 {"say", fmt::format("I am keeping {} for you for a moment.", time_of(held))}});
}

DeskAnswer booked(AppointmentNews const& news) {
  auto result = news_of(news, fmt::format("You are booked for {}. Is that right?", time_of(news.appointment)));
  result.to_read_back = news.appointment.id.text();
  return result;
}

DeskAnswer rescheduled(AppointmentNews const& news, Appointment const& before) {
  auto result = news_of(news, fmt::format("Your appointment has moved from {} to {}. Is that right?", time_of(before),
                                          time_of(news.appointment)));
  result.to_read_back = news.appointment.id.text();
  return result;
}

DeskAnswer cancelled(AppointmentNews const& news) {
  return news_of(news, fmt::format("Your appointment on {} is cancelled.", time_of(news.appointment)));
}

DeskAnswer caller_found(std::optional<std::string> const& name, std::vector<Appointment> const& coming,
                        std::string_view timezone) {
  Json json{{"ok", true}, {"known", name.has_value()}, {"name", name.value_or("")}, {"timezone", timezone}};
  json["appointments"] = list_of(coming);
  return answer(json);
}

DeskAnswer done(std::string_view say) {
  return answer({{"ok", true}, {"say", say}});
}

DeskAnswer said_before(std::string json) {
  DeskAnswer result{.json = std::move(json), .is_error = false, .to_read_back = std::nullopt};
  auto const kept = Json::parse(result.json, nullptr, /*allow_exceptions=*/false);
  bool const waits_for_ears = kept.is_object() && kept.value("status", "") == "unconfirmed";
  if (waits_for_ears) result.to_read_back = kept.value("appointment_id", "");
  return result;
}

bool is_ok(DeskAnswer const& answer) {
  auto const json = Json::parse(answer.json, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("ok", false);
}

}  // namespace crm
