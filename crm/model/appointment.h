#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "crm/model/call_record.h"
#include "crm/model/contact.h"
#include "crm/model/service.h"
#include "gateway/base/ids.h"

namespace crm {

using AppointmentId = base::Id<struct AppointmentIdTag>;  ///< "apt_…".

/// `held` only keeps a time free for a while; `unconfirmed` is booked, but the caller has yet to hear it read back.
enum class AppointmentStatus { held, unconfirmed, confirmed, cancelled, completed, no_show };

/// A time in the calendar of a business that somebody has, or had.
struct Appointment {
  AppointmentId id;
  base::TenantId tenant;
  std::optional<ContactId> contact;
  std::optional<base::CallId> call;  ///< In which it was booked.
  std::string service;
  std::string calendar = main_calendar;  ///< What stands in one never overlaps.
  Wall starts_at{};
  Wall ends_at{};
  std::chrono::seconds utc_offset{0};  ///< Of the tenant's zone at the start; only in what the store gives back.
  AppointmentStatus status = AppointmentStatus::unconfirmed;
  std::optional<Wall> held_until;  ///< Of a held one only.
  std::string location;
  std::string notes;
  std::optional<std::string> request_key;  ///< What asked for it: the call and its tool call.
  int version = 1;                         ///< Grows with each change.
};

constexpr std::string_view to_string(AppointmentStatus status) {
  switch (status) {
    case AppointmentStatus::held:
      return "held";
    case AppointmentStatus::unconfirmed:
      return "unconfirmed";
    case AppointmentStatus::confirmed:
      return "confirmed";
    case AppointmentStatus::cancelled:
      return "cancelled";
    case AppointmentStatus::completed:
      return "completed";
    case AppointmentStatus::no_show:
      return "no_show";
  }
  return "cancelled";
}

constexpr std::optional<AppointmentStatus> appointment_status_from(std::string_view text) {
  using enum AppointmentStatus;
  for (auto const status : {held, unconfirmed, confirmed, cancelled, completed, no_show}) {
    if (to_string(status) == text) return status;
  }
  return std::nullopt;
}

}  // namespace crm
