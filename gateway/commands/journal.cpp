#include "gateway/commands/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/journal/call_record_json.h"
#include "crm/journal/posix_files.h"
#include "crm/journal/segments.h"
#include "crm/journal/survey.h"
#include "gateway/base/time_source.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

crm::journal::SegmentLimits journal_limits(config::Journal const& journal) {
  constexpr std::uint64_t mib = 1U << 20U;
  return {.segment_bytes = journal.reserve_mib * mib, .most_bytes = journal.limit_mib * mib};
}

crm::journal::Survey look(std::filesystem::path const& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return {};
  crm::journal::PosixFiles files{folder, crm::journal::PosixFiles::Access::shared};
  auto found = crm::journal::survey(files);
  if (!found) throw CommandFailure{found.error().detail};
  return *std::move(found);
}

void print(crm::journal::Survey const& survey, bool as_json, std::ostream& out) {
  auto list = nlohmann::json::array();
  Listing listing{{"ID", "STARTED", "STATUS", "ENDING", "TENANT", "BYTES"}};
  for (auto const& entry : survey.waiting) {
    nlohmann::json line{{"id", entry.key}, {"version", entry.version}, {"bytes", entry.payload.size()}};
    auto const call = crm::journal::decode(entry.payload);
    if (call) {
      line["call_sid"] = call->call_sid.text();
      line["tenant_id"] = call->tenant.text();
      line["started_at"] = base::iso8601(call->started_at);
      line["status"] = crm::to_string(call->status);
      line["ending"] = call->ending ? nlohmann::json(*call->ending) : nlohmann::json(nullptr);
      listing.add({printable(entry.key), base::iso8601(call->started_at), std::string{crm::to_string(call->status)},
                   printable(call->ending.value_or("-")), printable(call->tenant.text()),
                   std::to_string(entry.payload.size())});
    } else {
      line["unreadable"] = call.error().detail;
      listing.add({printable(entry.key), "-", "unreadable", "-", "-", std::to_string(entry.payload.size())});
    }
    list.push_back(std::move(line));
  }
  if (as_json) {
    nlohmann::json const all{
        {"waiting", list}, {"damaged_files", survey.damaged_files}, {"unread_files", survey.unread_files}};
    out << all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  listing.print(out);
  if (survey.damaged_files > 0) out << fmt::format("damaged files: {}\n", survey.damaged_files);
  if (survey.unread_files > 0) out << fmt::format("files that cannot be read: {}\n", survey.unread_files);
}

std::int64_t version_of(std::string const& key, crm::journal::Survey const& survey) {
  auto const found = std::ranges::find(survey.waiting, key, &crm::journal::Entry::key);
  if (found == survey.waiting.end()) throw CommandFailure{fmt::format("there is no record {} in the journal", key)};
  return found->version;
}

/// Only without a running process: what it refuses it tries again at its next start, and not before.
void drop(config::Settings const& settings, std::string const& key, std::ostream& out) {
  auto const folder = settings.data_dir / "journal";
  auto const version = version_of(key, look(folder));
  crm::journal::PosixFiles files{folder, crm::journal::PosixFiles::Access::sole};
  crm::journal::Segments segments{files, journal_limits(settings.journal), base::Log::silent()};
  auto const recovered = segments.recover();
  if (!recovered) throw CommandFailure{recovered.error().detail};
  segments.forget(key, version);
  segments.tidy_up();
  segments.close();
  out << fmt::format("dropped {}\n", key);
}

}  // namespace

void add_journal_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto& group = *app.add_subcommand("journal", "Call records on disk that the database has not taken yet");
  group.require_subcommand(1);
  auto const json = std::make_shared<bool>(false);
  auto& command = *group.add_subcommand("list", "List them, in the order in which they were written");
  command.add_flag("--json", *json, "Machine-readable output");
  on_command(command, context, exit_code,
             [context, json] { print(look(context.load_settings().data_dir / "journal"), *json, *context.out); });
  auto const key = std::make_shared<std::string>();
  auto& dropping = *group.add_subcommand(
      "drop", "Give up a record that the database will never take, for example of a tenant that is gone");
  dropping.add_option("record", *key, "Its id, as list shows it")->required();
  on_command(dropping, context, exit_code, [context, key] { drop(context.load_settings(), *key, *context.out); });
}

}  // namespace gateway
