#include "gateway/commands/calls.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "crm/store/calls.h"
#include "gateway/base/time_source.h"
#include "gateway/commands/call_outcome_view.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::CallRecord;
using crm::pg::Pool;

template <class T>
nlohmann::json optional(std::optional<T> const& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::json optional_time(std::optional<crm::Wall> const& when) {
  return when ? nlohmann::json(base::iso8601(*when)) : nlohmann::json(nullptr);
}

nlohmann::json to_json(CallRecord const& call) {
  nlohmann::json json{{"id", call.id.text()},
                      {"tenant_id", call.tenant.text()},
                      {"agent_id", call.agent.text()},
                      {"call_sid", call.call_sid.text()},
                      {"account_sid", call.account_sid.text()},
                      {"direction", crm::to_string(call.direction)},
                      {"from", call.from},
                      {"to", call.to},
                      {"status", crm::to_string(call.status)},
                      {"node", call.node},
                      {"node_epoch", call.node_epoch},
                      {"started_at", base::iso8601(call.started_at)},
                      {"answered_at", optional_time(call.answered_at)},
                      {"ended_at", optional_time(call.ended_at)},
                      {"duration_ms", optional(call.duration_ms)},
                      {"ending", optional(call.ending)},
                      {"blame", nullptr},
                      {"conversation_id", optional(call.conversation_id)},
                      {"recording_path", optional(call.recording_path)},
                      {"stream_count", call.stream_count},
                      {"resumed", call.resumed},
                      {"version", call.version}};
  if (call.blame) json["blame"] = crm::to_string(*call.blame);
  return json;
}

nlohmann::json to_json(crm::CallTurn const& turn) {
  return {{"role", crm::to_string(turn.role)},
          {"from_provider", turn.from_provider},
          {"event_id", optional(turn.event_id)},
          {"said", turn.said},
          {"heard", turn.heard},
          {"interrupted", turn.interrupted},
          {"started_ms", turn.started_ms},
          {"generated_ms", optional(turn.generated_ms)},
          {"sent_ms", optional(turn.sent_ms)},
          {"heard_ms", optional(turn.heard_ms)}};
}

nlohmann::json to_json(crm::CallEvent const& event) {
  return {{"at", base::iso8601(event.at)},
          {"kind", event.kind},
          {"detail", nlohmann::json::parse(event.detail_json, nullptr, /*allow_exceptions=*/false)}};
}

std::string duration_text(std::optional<std::int64_t> ms) {
  if (!ms) return "-";
  auto const seconds = *ms / 1000;
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string offset_text(std::int64_t ms) {
  return fmt::format("{:02}:{:02}.{}", ms / 60000, ms / 1000 % 60, ms / 100 % 10);
}

struct ShownCall {
  CallRecord record;
  crm::SettledCall settled;
};

Async<Result<std::optional<ShownCall>>> find_shown_call(Pool& pool, std::string id_or_sid, Instant deadline) {
  auto session = pool.until(deadline);
  auto record = co_await crm::find_call(session, std::move(id_or_sid));
  if (!record) co_return std::unexpected{record.error()};
  std::optional<ShownCall> shown;
  if (!*record) co_return shown;
  auto settled = co_await crm::find_settled_call(session, (*record)->tenant, (*record)->id);
  if (!settled) co_return std::unexpected{settled.error()};
  shown = ShownCall{**std::move(record), *std::move(settled)};
  co_return shown;
}

void print_call(CommandContext const& context, ShownCall const& shown) {
  auto const& call = shown.record;
  auto& out = *context.out;
  auto const line = [&](char const* name, std::string const& value) {
    if (!value.empty()) out << fmt::format("{:<14}{}\n", name, printable(value));
  };
  auto const time = [](std::optional<crm::Wall> const& when) { return when ? base::iso8601(*when) : std::string{}; };
  line("call", call.id.text());
  line("sid", call.call_sid.text());
  line("tenant", call.tenant.text());
  line("agent", call.agent.text());
  line("direction", std::string{crm::to_string(call.direction)});
  line("from", call.from);
  line("to", call.to);
  line("status", std::string{crm::to_string(call.status)});
  line("started", time(call.started_at));
  line("answered", time(call.answered_at));
  line("ended", time(call.ended_at));
  if (call.duration_ms) line("duration", duration_text(call.duration_ms));
  line("ending", call.ending.value_or(""));
  if (call.blame) line("blame", std::string{crm::to_string(*call.blame)});
  line("conversation", call.conversation_id.value_or(""));
  line("recording", call.recording_path.value_or(""));
  line("node", fmt::format("{} epoch {}", call.node, call.node_epoch));
  if (call.resumed > 0) line("resumed", std::to_string(call.resumed));
  print_outcome(out, shown.settled, call.tool_calls);
  if (!call.turns.empty()) out << "\ntranscript\n";
  for (auto const& turn : call.turns) {
    out << fmt::format("  {}  {:<7}{}{}{}\n", offset_text(turn.started_ms), crm::to_string(turn.role),
                       with_heard_boundary(turn, context.colour), turn.interrupted ? "  (interrupted)" : "",
                       turn.from_provider ? "  (from the agent's provider)" : "");
  }
  if (!call.events.empty()) out << "\nevents\n";
  for (auto const& event : call.events) {
    out << fmt::format("  {}  {}  {}\n", base::iso8601(event.at), printable(event.kind), printable(event.detail_json));
  }
}

void must_exist(CommandContext const& context, std::string const& id) {
  auto const call =
      with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::optional<CallRecord>>> {
        auto session = pool.until(deadline);
        auto found = co_await crm::find_call(session, id);
        co_return found;
      });
  if (!call) throw CommandFailure{fmt::format("there is no call {}", id)};
}

std::string check_ago(std::string const& text) {
  return parse_ago(text) ? "" : fmt::format("'{}' is not a time span like 90s, 15m, 1h or 7d", text);
}

void declare_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant, since, before;
    int limit = 50;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List calls, newest first");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_option("--since", given->since, "Only calls that began within this time: 90s, 15m, 1h, 7d")
      ->check(check_ago);
  command.add_option("--before", given->before,
                     "Only calls that began before this one (call_… or CA…): to go on with a long list");
  command.add_option("--limit", given->limit, "At most so many")->capture_default_str()->check(CLI::Range(1, 10000));
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    // One more than asked for shows whether there are more.
    crm::CallFilter filter{.tenant = {}, .since = {}, .before = {}, .limit = given->limit + 1};
    filter.tenant = chosen_tenant(given->tenant);
    if (given->since) filter.since = std::chrono::system_clock::now() - *parse_ago(*given->since);
    filter.before = given->before;
    auto calls = with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<CallRecord>>> {
      auto session = pool.until(deadline);
      auto found = co_await crm::list_calls(session, filter);
      co_return found;
    });
    if (calls.empty() && given->before) must_exist(context, *given->before);
    bool const more = std::cmp_greater(calls.size(), given->limit);
    if (more) calls.pop_back();
    auto list = nlohmann::json::array();
    Listing listing{{"ID", "STARTED", "STATUS", "FROM", "TO", "LENGTH", "ENDING", "BLAME"}};
    for (auto const& call : calls) {
      list.push_back(to_json(call));
      listing.add({call.id.text(), base::iso8601(call.started_at), std::string{crm::to_string(call.status)},
                   printable(call.from), printable(call.to), duration_text(call.duration_ms),
                   printable(call.ending.value_or("-")), std::string{call.blame ? crm::to_string(*call.blame) : "-"}});
    }
    print_list(context, given->json, list.dump(2), listing);
    if (more) *context.err << fmt::format("there are older calls: go on with --before {}\n", calls.back().id.text());
  });
}

void declare_show(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string id;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("show", "Show a call: its record, what was said and heard, and what it led to");
  command.add_option("call", given->id, "Call id (call_…) or CallSid (CA…)")->required();
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const call = with_database(
        context, [&](Pool& pool, Instant deadline) { return find_shown_call(pool, given->id, deadline); });
    if (!call) throw CommandFailure{fmt::format("there is no call {}", given->id)};
    if (!given->json) {
      print_call(context, *call);
      return;
    }
    auto json = to_json(call->record);
    json["turns"] = nlohmann::json::array();
    json["events"] = nlohmann::json::array();
    for (auto const& turn : call->record.turns) json["turns"].push_back(to_json(turn));
    for (auto const& event : call->record.events) json["events"].push_back(to_json(event));
    json.update(nlohmann::json::parse(outcome_json(call->settled, call->record.tool_calls)));
    *context.out << json.dump(2) << '\n';
  });
}

}  // namespace

void add_call_commands(CLI::App& calls, CommandContext const& context, int& exit_code) {
  declare_list(calls, context, exit_code);
  declare_show(calls, context, exit_code);
}

std::optional<std::chrono::seconds> parse_ago(std::string_view text) {
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  auto const unit = text.substr(static_cast<std::size_t>(end - text.data()));
  constexpr std::int64_t longest = 36500;  // days; keeps the product far from overflow
  if (error != std::errc{} || number < 0 || unit.size() != 1) return std::nullopt;
  std::int64_t const scale = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : unit == "d" ? 86400 : 0;
  if (scale == 0 || number > longest * 86400 / scale) return std::nullopt;
  return std::chrono::seconds{number * scale};
}

std::string with_heard_boundary(crm::CallTurn const& turn, bool colour) {
  auto said = printable(turn.said);
  auto heard = printable(turn.heard);
  if (said == heard) return said;
  auto const unheard = [&](std::string_view text) {
    return colour ? fmt::format("\x1b[2m[{}]\x1b[22m", text) : fmt::format("[{}]", text);
  };
  if (!said.starts_with(heard)) return heard + (heard.empty() ? "" : " ") + unheard(said);
  // The space between the last word heard and the first one not heard stays outside the brackets.
  auto const start = said.find_first_not_of(' ', heard.size());
  if (start == std::string::npos) return heard;
  return said.substr(0, start) + unheard(std::string_view{said}.substr(start));
}

}  // namespace gateway
