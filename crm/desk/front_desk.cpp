#include "crm/desk/front_desk.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "crm/desk/answers.h"
#include "crm/desk/booking.h"
#include "crm/desk/changes.h"
#include "crm/desk/correspondence.h"
#include "crm/desk/desk_task.h"
#include "crm/store/appointments.h"
#include "crm/store/desk_answers.h"
#include "crm/store/services.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using base::Result;

struct DeskTool {
  std::string_view name;
  Async<Result<DeskAnswer>> (*work)(pg::Session&, DeskTask const&);
  bool writes;
};

constexpr std::array tools{
    DeskTool{"lookup_caller", lookup_caller, false},
    DeskTool{"find_slots", offer_slots, false},
    DeskTool{"hold_slot", hold_slot, true},
    DeskTool{"book_appointment", book_appointment, true},
    DeskTool{"reschedule_appointment", reschedule_appointment, true},
    DeskTool{"cancel_appointment", cancel_appointment, true},
    DeskTool{"take_message", take_message, true},
    DeskTool{"update_contact", update_contact, true},
    DeskTool{"send_sms", send_sms, true},
};

DeskTool const* find_tool(std::string_view name) {
  auto const found = std::ranges::find(tools, name, &DeskTool::name);
  return found == tools.end() ? nullptr : &*found;
}

/// Whatever the tenant knows under the name that the caller gave.
Async<Result<>> read_service(pg::Session& session, DeskTask& task) {
  if (!task.parameters.service) co_return Result<>{};
  auto const service = co_await service_named(session, task.caller.tenant, *task.parameters.service);
  if (!service) co_return std::unexpected{service.error()};
  if (*service) task.booked = {.minutes = (*service)->minutes, .calendar = (*service)->calendar};
  co_return Result<>{};
}

DeskRequestKey key_of(DeskTask const& task) {
  return {.tenant = task.caller.tenant, .call = task.caller.call, .request = task.request};
}

Async<Result<DeskAnswer>> read_only(pg::Session& session, DeskTool const& tool, DeskTask& task) {
  auto rules = co_await booking_rules(session, task.caller.tenant);
  if (!rules) co_return std::unexpected{rules.error()};
  task.rules = *std::move(rules);
  auto const service = co_await read_service(session, task);
  if (!service) co_return std::unexpected{service.error()};
  co_return co_await tool.work(session, task);
}

Async<Result<DeskAnswer>> once(pg::Session& session, DeskTool const& tool, DeskTask& task) {
  auto rules = co_await lock_bookings(session, task.caller.tenant);
  if (!rules) co_return std::unexpected{rules.error()};
  task.rules = *std::move(rules);
  auto before = co_await find_desk_answer(session, key_of(task));
  if (!before) co_return std::unexpected{before.error()};
  if (*before) co_return said_before(**std::move(before));
  auto const service = co_await read_service(session, task);
  if (!service) co_return std::unexpected{service.error()};
  auto answer = co_await tool.work(session, task);
  if (!answer || !is_ok(*answer)) co_return answer;
  auto const kept = co_await keep_desk_answer(session, key_of(task), answer->json);
  if (!kept) co_return std::unexpected{kept.error()};
  co_return answer;
}

Async<Result<bool>> confirmed(pg::Session& session, DeskTask& task, AppointmentId id) {
  auto rules = co_await lock_bookings(session, task.caller.tenant);
  if (!rules) co_return std::unexpected{rules.error()};
  task.rules = *std::move(rules);
  co_return co_await confirm_read_back(session, task, std::move(id));
}

}  // namespace

FrontDesk::FrontDesk(pg::Pool& pool, base::TimeSource& time, base::Log log, base::Metrics& metrics)
    : pool_{pool},
      time_{time},
      log_{std::move(log)},
      done_{metrics.counter("switchboard_desk_answers_total", "Requests of agents to the desk.", {{"result", "done"}})},
      refused_{metrics.counter("switchboard_desk_answers_total", "Requests of agents to the desk.",
                               {{"result", "refused"}})},
      unavailable_{metrics.counter("switchboard_desk_answers_total", "Requests of agents to the desk.",
                                   {{"result", "unavailable"}})} {}

Async<DeskAnswer> FrontDesk::handle(DeskCaller caller, DeskRequest request, base::Instant deadline) {
  auto const* const tool = find_tool(request.tool);
  if (tool == nullptr) {
    auto unknown = refusal("unknown_tool", "I cannot do that for you, but I can take a message.");
    unknown.is_error = true;
    co_return counted(std::move(unknown));
  }
  auto task = read_task(std::move(caller), request, time_.wall());
  auto const work = [&](pg::Transaction& transaction) {
    return tool->writes ? once(transaction, *tool, task) : read_only(transaction, *tool, task);
  };
  auto answer = co_await pool_.transaction_of(task.caller.tenant, work, deadline);
  // The connection may have been lost with the work done: the request's key makes a second try safe.
  bool const again = !answer && answer.error().fault == Fault::unavailable && time_.now() < deadline;
  if (again) answer = co_await pool_.transaction_of(task.caller.tenant, work, deadline);
  if (!answer && answer.error().fault == Fault::conflict && task.parameters.start) {
    auto const offer = [&](pg::Transaction& transaction) { return taken_meanwhile(transaction, task); };
    answer = co_await pool_.transaction_of(task.caller.tenant, offer, deadline);
  }
  if (answer) co_return counted(*std::move(answer));
  log_.warning("desk could not answer",
               {{"call", task.caller.call.text()}, {"tool", tool->name}, {"why", answer.error().detail}});
  co_return counted(unavailable(tool->name));
}

Async<bool> FrontDesk::confirm(DeskCaller caller, std::string appointment, base::Instant deadline) {
  DeskTask task{.caller = std::move(caller), .tool = "", .request = "", .parameters = {}, .now = time_.wall()};
  AppointmentId const id{std::move(appointment)};
  auto const work = [&](pg::Transaction& transaction) { return confirmed(transaction, task, id); };
  auto noted = co_await pool_.transaction_of(task.caller.tenant, work, deadline);
  bool const again = !noted && noted.error().fault == Fault::unavailable && time_.now() < deadline;
  if (again) noted = co_await pool_.transaction_of(task.caller.tenant, work, deadline);
  if (noted) co_return *noted;
  log_.warning("read-back not noted", {{"call", task.caller.call.text()}, {"why", noted.error().detail}});
  co_return false;
}

Async<> FrontDesk::release_holds(DeskCaller caller, base::Instant deadline) {
  auto const work = [&](pg::Transaction& transaction) {
    return crm::release_holds(transaction, caller.tenant, caller.call);
  };
  auto const freed = co_await pool_.transaction_of(caller.tenant, work, deadline);
  if (!freed) log_.info("holds left to end by themselves", {{"call", caller.call.text()}});
}

DeskAnswer FrontDesk::counted(DeskAnswer answer) {
  bool const ok = is_ok(answer);
  auto& counter = ok ? done_ : answer.is_error ? unavailable_ : refused_;
  counter.Increment();
  return answer;
}

}  // namespace crm
