#include "gateway/commands/outbox.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/outbox/records.h"
#include "crm/store/audit.h"
#include "gateway/base/time_source.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::AttemptRecord;
using crm::OutboxRecord;
using crm::pg::Pool;

template <class T>
nlohmann::json optional(std::optional<T> const& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

std::string target_of(OutboxRecord const& record) {
  return record.integration ? record.integration->text() : "sms";
}

nlohmann::json to_json(OutboxRecord const& record) {
  return {{"id", record.id},
          {"tenant_id", record.tenant.text()},
          {"target", target_of(record)},
          {"integration", record.integration_name},
          {"event", record.event},
          {"call_id", optional(record.call)},
          {"contact_id", optional(record.contact)},
          {"status", record.status},
          {"attempts", record.attempts},
          {"created_at", base::iso8601(record.created_at)},
          {"next_at", base::iso8601(record.next_at)},
          {"done_at", record.done_at ? nlohmann::json(base::iso8601(*record.done_at)) : nlohmann::json(nullptr)},
          {"parked_reason", optional(record.parked_reason)},
          {"remote_id", optional(record.remote_id)}};
}

nlohmann::json to_json(AttemptRecord const& attempt) {
  return {{"attempt", attempt.attempt},
          {"started_at", base::iso8601(attempt.started_at)},
          {"took_ms", attempt.took_ms},
          {"request_id", optional(attempt.request_id)},
          {"http_status", optional(attempt.http_status)},
          {"fault", optional(attempt.fault)},
          {"remote_id", optional(attempt.remote_id)},
          {"error", optional(attempt.error)}};
}

void declare_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant, status, call;
    int limit = 50;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List what other systems are told, newest first");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_option("--status", given->status, "waiting, leased, done or parked")
      ->check(CLI::IsMember({"waiting", "leased", "done", "parked"}));
  command.add_option("--call", given->call, "Only of this call (call_…)");
  command.add_option("--limit", given->limit, "At most so many")->capture_default_str()->check(CLI::Range(1, 10000));
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    crm::OutboxFilter filter{.tenant = {}, .status = given->status, .call = given->call, .limit = given->limit};
    filter.tenant = chosen_tenant(given->tenant);
    auto const records =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<OutboxRecord>>> {
          auto session = pool.until(deadline);
          auto found = co_await crm::list_outbox(session, filter);
          co_return found;
        });
    auto list = nlohmann::json::array();
    Listing listing{{"ID", "CREATED", "EVENT", "TARGET", "STATUS", "ATTEMPTS", "CALL", "REASON"}};
    for (auto const& record : records) {
      list.push_back(to_json(record));
      listing.add({record.id, base::iso8601(record.created_at), printable(record.event),
                   printable(record.integration_name), record.status, std::to_string(record.attempts),
                   record.call.value_or("-"), printable(record.parked_reason.value_or("-"))});
    }
    print_list(context, given->json, list.dump(2), listing);
  });
}

struct Shown {
  OutboxRecord record;
  std::vector<AttemptRecord> attempts;
};

void print(CommandContext const& context, Shown const& shown) {
  auto& out = *context.out;
  auto const line = [&](char const* name, std::string const& value) {
    if (!value.empty()) out << fmt::format("{:<10}{}\n", name, printable(value));
  };
  auto const& record = shown.record;
  line("id", record.id);
  line("tenant", record.tenant.text());
  line("event", record.event);
  line("target", record.integration ? fmt::format("{} ({})", record.integration_name, target_of(record)) : "sms");
  line("call", record.call.value_or(""));
  line("contact", record.contact.value_or(""));
  line("status", record.status);
  line("reason", record.parked_reason.value_or(""));
  line("created", base::iso8601(record.created_at));
  if (record.status == "waiting") line("next", base::iso8601(record.next_at));
  if (record.done_at) line("done", base::iso8601(*record.done_at));
  line("remote id", record.remote_id.value_or(""));
  if (shown.attempts.empty()) return;
  out << '\n';
  Listing listing{{"ATTEMPT", "STARTED", "MS", "HTTP", "RESULT", "REQUEST", "DETAIL"}};
  for (auto const& attempt : shown.attempts) {
    listing.add({std::to_string(attempt.attempt), base::iso8601(attempt.started_at), std::to_string(attempt.took_ms),
                 attempt.http_status ? std::to_string(*attempt.http_status) : "-", attempt.fault.value_or("delivered"),
                 printable(attempt.request_id.value_or("-")), printable(attempt.error.value_or("-"))});
  }
  listing.print(out);
}

void declare_show(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string id;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("show", "Show one thing and every attempt to tell it");
  command.add_option("id", given->id, "Id (obx_…)")->required();
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const shown = with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::optional<Shown>>> {
      auto session = pool.until(deadline);
      auto record = co_await crm::find_outbox(session, given->id);
      if (!record) co_return std::unexpected{record.error()};
      if (!*record) co_return std::nullopt;
      auto attempts = co_await crm::attempts_of(session, (*record)->tenant, (*record)->id);
      if (!attempts) co_return std::unexpected{attempts.error()};
      co_return Shown{std::move(**record), std::move(*attempts)};
    });
    if (!shown) throw CommandFailure{fmt::format("there is no {} in the outbox", given->id)};
    if (!given->json) {
      print(context, *shown);
      return;
    }
    auto json = to_json(shown->record);
    json["attempts_made"] = nlohmann::json::array();
    for (auto const& attempt : shown->attempts) json["attempts_made"].push_back(to_json(attempt));
    *context.out << json.dump(2) << '\n';
  });
}

/// How many; says so in the audit of each tenant.
Async<Result<std::int64_t>> retry(crm::pg::Session& session, crm::RetryFilter filter) {
  auto const subject = filter.id            ? *filter.id
                       : filter.integration ? filter.integration->text()
                                            : filter.tenant.value_or(base::TenantId{}).text();
  auto const retried = co_await crm::retry_parked(session, std::move(filter));
  if (!retried) co_return std::unexpected{retried.error()};
  std::int64_t count = 0;
  for (auto const& each : *retried) {
    count += each.rows;
    crm::AuditFact fact{.tenant = each.tenant,
                        .actor = command_actor(),
                        .action = "outbox.retried",
                        .subject = subject,
                        .detail_json = nlohmann::json{{"rows", each.rows}}.dump()};
    auto const noted = co_await crm::append_audit(session, std::move(fact));
    if (!noted) co_return std::unexpected{noted.error()};
  }
  co_return count;
}

void declare_retry(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> id, integration, tenant;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command =
      *group.add_subcommand("retry", "Try again what is parked: one thing, or all of an integration or tenant");
  auto& which = *command.add_option_group("which");
  which.add_option("id", given->id, "Id (obx_…)");
  which.add_option("--integration", given->integration, "All that is parked for this integration (int_…)");
  which.add_option("--tenant", given->tenant, "All that is parked for this tenant");
  which.require_option(1);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    crm::RetryFilter filter{.id = given->id, .integration = {}, .tenant = {}};
    if (given->integration) filter.integration = crm::IntegrationId{*given->integration};
    filter.tenant = chosen_tenant(given->tenant);
    auto const count = with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::int64_t>> {
      auto const work = [&](crm::pg::Transaction& transaction) { return retry(transaction, filter); };
      auto const done = co_await pool.transaction(work, deadline);
      co_return done;
    });
    if (given->id && count == 0) throw CommandFailure{fmt::format("{} is not parked", *given->id)};
    if (given->json)
      *context.out << nlohmann::json{{"retried", count}}.dump() << '\n';
    else
      *context.out << fmt::format("{} will be tried again\n", count);
  });
}

}  // namespace

void add_outbox_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto& group = *app.add_subcommand("outbox", "What other systems must be told");
  group.require_subcommand(1);
  declare_list(group, context, exit_code);
  declare_show(group, context, exit_code);
  declare_retry(group, context, exit_code);
}

}  // namespace gateway
