#include "gateway/journal_commands.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/journal/call_record_json.h"
#include "crm/journal/posix_files.h"
#include "crm/journal/survey.h"
#include "gateway/base/time_source.h"
#include "gateway/listing.h"

namespace gateway {
namespace {

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

}  // namespace

void add_journal_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto& group = *app.add_subcommand("journal", "Call records on disk that the database has not taken yet");
  group.require_subcommand(1);
  auto const json = std::make_shared<bool>(false);
  auto& command = *group.add_subcommand("list", "List them, in the order in which they were written");
  command.add_flag("--json", *json, "Machine-readable output");
  on_command(command, context, exit_code,
             [context, json] { print(look(context.load_settings().data_dir / "journal"), *json, *context.out); });
}

}  // namespace gateway
