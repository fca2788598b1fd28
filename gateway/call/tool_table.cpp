#include "gateway/call/tool_table.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "gateway/call/tools.h"

namespace gateway {
namespace {

using enum ToolValue;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ToolParameter service{"service", words, false, 100,
                                "What the appointment is for, in the words of the business, for example 'cleaning'."};
constexpr ToolParameter callback_number{
    "phone", phone, false, 32,
    "Another phone number than the one the caller calls from, if they gave one, with country code: +14155550100."};
constexpr ToolParameter appointment_id{
    "appointment_id", name_of_row, false, 64,
    "Which appointment, as lookup_caller named it. Leave it out when the caller has only one."};

constexpr std::array find_slots{
    ToolParameter{"day", day, false, 40, "A single day, as 2026-03-31. Work it out from current_date."},
    ToolParameter{"from", day_or_moment, false, 40,
                  "Nothing before this, as 2026-03-31 or 2026-03-31T14:00:00. Only without day."},
    ToolParameter{"to", day_or_moment, false, 40,
                  "Nothing after this, as 2026-04-02 or 2026-04-02T18:00:00. Only without day."},
    service,
};
constexpr std::array hold_slot{
    ToolParameter{"start", moment, true, 40, "Start of the slot, exactly as find_slots gave it."},
    service,
};
constexpr std::array book_appointment{
    ToolParameter{"start", moment, true, 40, "Start of the slot, exactly as find_slots gave it."},
    ToolParameter{"name", words, false, 200, "Full name of the person the appointment is for."},
    service,
    ToolParameter{"notes", words, false, 1000, "What the business should know before the appointment."},
    callback_number,
};
constexpr std::array reschedule_appointment{
    ToolParameter{"new_start", moment, true, 40, "Start of the new slot, exactly as find_slots gave it."},
    appointment_id,
};
constexpr std::array cancel_appointment{appointment_id};
constexpr std::array take_message{
    ToolParameter{"message", words, true, 2000, "The message in the caller's words, with everything needed to act."},
    ToolParameter{"name", words, false, 200, "Who it is from."},
    callback_number,
    ToolParameter{"urgent", yes_no, false, 5, "True only when it cannot wait until tomorrow."},
};
constexpr std::array update_contact{
    ToolParameter{"name", words, false, 200, "Full name of the caller."},
    ToolParameter{"email", email, false, 254, "E-mail address of the caller, spelled back to them first."},
    callback_number,
    ToolParameter{"notes", words, false, 1000, "What the business should remember about the caller."},
};
constexpr std::array send_sms{
    ToolParameter{"message", words, true, 600, "Text of the message, as short as it can be."},
    callback_number,
};
constexpr std::array transfer_to_number{
    ToolParameter{"transfer_number", phone, false, 32,
                  "Whom to connect, one of the numbers you may transfer to. Leave it out when there is only one."},
};
constexpr std::array end_call{
    ToolParameter{"reason", words, false, 200, "Why the call is over."},
};

constexpr auto desk_deadline = milliseconds{2500};  // with its grace three seconds of silence at the most
constexpr auto patience = seconds{20};

constexpr std::array table{
    Tool{"lookup_caller",
         "Who is calling, as far as the business knows: name, coming appointments. Use it once, at the beginning, "
         "before you ask for what is known already.",
         {},
         desk_deadline,
         patience},
    Tool{"find_slots",
         "Free times for an appointment. Without a day: the next ones. Offer the caller two or three of them, and "
         "never a time that is not in the answer.",
         find_slots, desk_deadline, patience},
    Tool{"hold_slot", "Keeps a free time for this caller for some minutes while you ask for the rest. Not a booking.",
         hold_slot, desk_deadline, patience},
    Tool{"book_appointment",
         "Books an appointment. Only after the caller has agreed to the time. When it has worked, read day and time "
         "back to the caller: only then it is confirmed. When it has not, offer the times in the answer.",
         book_appointment, desk_deadline, patience},
    Tool{"reschedule_appointment",
         "Moves an appointment of this caller to another free time. When it has worked, read the new day and time "
         "back to the caller.",
         reschedule_appointment, desk_deadline, patience},
    Tool{"cancel_appointment", "Cancels an appointment of this caller. Only after they have said that they want that.",
         cancel_appointment, desk_deadline, patience},
    Tool{"take_message",
         "Leaves a message for the business. Use it when you cannot help, when another tool has failed, or when the "
         "caller asks to be called back.",
         take_message, desk_deadline, patience},
    Tool{"update_contact", "Notes what the caller says about themselves. Give only what they have told you.",
         update_contact, desk_deadline, patience},
    Tool{"send_sms", "Sends the caller a text message. Only when they want one.", send_sms, desk_deadline, patience},
    Tool{tool_transfer,
         "Connects the caller to a person. Say first that you will. When it has not worked, offer to take a message.",
         transfer_to_number, milliseconds{15000}, patience},
    Tool{tool_end_call, "Ends the call. Say goodbye first; the caller hears it to its end.", end_call,
         milliseconds{1000}, patience},
};

static_assert(std::ranges::all_of(table, [](Tool const& tool) {
  return tool.deadline < tool.response_timeout && tool.response_timeout <= seconds{120};  // the vendor takes 1 to 120
}));

nlohmann::ordered_json definition(Tool const& tool) {
  auto properties = nlohmann::ordered_json::object();
  auto required = nlohmann::ordered_json::array();
  for (auto const& parameter : tool.parameters) {
    auto const* const type = parameter.value == yes_no ? "boolean" : "string";
    properties[std::string{parameter.name}] = {{"type", type}, {"description", parameter.description}};
    if (parameter.required) required.push_back(parameter.name);
  }
  nlohmann::ordered_json const config{
      {"type", "client"},
      {"name", tool.name},
      {"description", tool.description},
      {"response_timeout_secs", tool.response_timeout.count()},
      {"expects_response", tool.expects_response},
      {"parameters", {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}}}};
  return {{"tool_config", config}};
}

}  // namespace

std::span<Tool const> tools() {
  return table;
}

Tool const* find_tool(std::string_view name) {
  auto const found = std::ranges::find(table, name, &Tool::name);
  return found == table.end() ? nullptr : &*found;
}

std::string tool_definitions_json() {
  auto all = nlohmann::ordered_json::array();
  for (auto const& tool : table) all.push_back(definition(tool));
  return all.dump(2) + "\n";
}

}  // namespace gateway
