#include "gateway/commands/command.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/model/phone_number.h"

namespace gateway {

int exit_code_for(CLI::App const& app, CLI::ParseError const& error, CommandContext const& context) {
  return app.exit(error, *context.out, *context.err) == 0 ? 0 : 2;
}

void on_command(CLI::App& command, CommandContext const& context, int& exit_code, std::function<void()> body) {
  command.callback([&exit_code, err = context.err, body = std::move(body)] {
    try {
      body();
      exit_code = 0;
    } catch (WrongUsage const& wrong) {
      for (auto const& sentence : wrong.sentences()) *err << "switchboard: " << sentence << '\n';
      exit_code = 2;
    } catch (std::exception const& failure) {
      *err << "switchboard: " << failure.what() << '\n';
      exit_code = 1;
    }
  });
}

void print_id(CommandContext const& context, bool json, std::string const& id) {
  if (json)
    *context.out << nlohmann::json{{"id", id}}.dump() << '\n';
  else
    *context.out << id << '\n';
}

std::optional<base::TenantId> chosen_tenant(std::optional<std::string> const& id) {
  if (!id) return std::nullopt;
  return base::TenantId{*id};
}

std::string sentence_for(base::Error const& error) {
  switch (error.fault) {
    case base::Fault::timed_out:
      return "the database did not answer in time";
    case base::Fault::unavailable:
      return fmt::format("the database is not available ({})", error.detail);
    case base::Fault::conflict:
      return fmt::format("there is one like it already ({})", error.detail);
    case base::Fault::not_found:
      return fmt::format("not found ({})", error.detail);
    case base::Fault::refused:
    case base::Fault::protocol:
    case base::Fault::too_large:
    case base::Fault::cancelled:
      break;
  }
  return fmt::format("the database refused ({})", error.detail);
}

void add_switch(CLI::App& command, std::string const& names, std::optional<bool>& value, std::string const& what) {
  command.add_flag_function(names, [&value](std::int64_t sum) { value = sum > 0; }, what);
}

std::string command_actor() {
  auto const account = ::geteuid();
  std::array<char, 4096> space{};
  passwd entry{};
  passwd* found = nullptr;
  bool const known = ::getpwuid_r(account, &entry, space.data(), space.size(), &found) == 0 && found != nullptr;
  return "cli:" + (known ? std::string{entry.pw_name} : std::to_string(account));
}

std::string check_e164(std::string const& text) {
  if (crm::is_e164(text)) return {};
  return fmt::format("'{}' is not a phone number in E.164 form, like +15550001111", text);
}

}  // namespace gateway
