#pragma once
#include <optional>
#include <string>

#include "crm/desk/desk.h"
#include "crm/model/call_record.h"
#include "crm/model/service.h"
#include "crm/pg/session.h"
#include "crm/store/booking_rules.h"

namespace crm {

/// What an agent may say to any tool of the desk. Texts are storable, trimmed and limited; what was not given, or is no
/// text, is missing.
struct DeskParameters {
  std::optional<std::string> day;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::optional<std::string> start;  ///< new_start, where an appointment moves.
  std::optional<std::string> service;
  std::optional<std::string> name;
  std::optional<std::string> notes;
  std::optional<std::string> phone;
  std::optional<std::string> email;
  std::optional<std::string> message;
  std::optional<std::string> appointment_id;
  bool urgent = false;
};

/// From a JSON object; anything else is read as an empty one.
DeskParameters read_parameters(std::string const& json);

/// How long an appointment takes and in whose calendar it stands: that of the service which is asked for, if the tenant
/// has it.
struct BookedService {
  std::optional<int> minutes;  ///< Missing: the tenant's slot_minutes.
  std::string calendar = main_calendar;
};

/// One request under way: everything a tool's work needs to know.
struct DeskTask {
  DeskCaller caller;
  std::string tool;
  std::string request;  ///< The agent's id of the tool call, made up when it gave none.
  DeskParameters parameters;
  Wall now{};
  BookingRules rules{};    ///< Read when the work begins.
  BookedService booked{};  ///< The same.

  /// One of its kind for each request, so that what is written for it is written once: "call_…:toolcall_…".
  std::string key() const { return caller.call.text() + ":" + request; }
  bool knows_number() const;
};

DeskTask read_task(DeskCaller caller, DeskRequest const& request, Wall now);

}  // namespace crm
