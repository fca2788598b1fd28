#pragma once
// The one list of settings. Loading, --help, the example files, unknown-name detection and the doctor all read it.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "config/settings.h"

namespace config {

/// How the text of a setting is read and checked; see value.cpp.
enum class Kind {
  text,
  token,       ///< Credential: printable ASCII without spaces.
  passphrase,  ///< Credential that may hold spaces.
  address,     ///< IPv4 or IPv6 address.
  port,
  count,
  yes_or_no,
  duration,  ///< "200ms", "8s", "5m", "1h".
  log_level,
  path,
  account_sid,   ///< "AC" and 32 hex digits.
  public_url,    ///< https://, or http:// on loopback; no path.
  base_url,      ///< http:// or https://, a path is allowed.
  origin,        ///< http:// or https://, no path.
  https_url,     ///< A secret address, as Slack gives out.
  database_url,  ///< postgresql://…
  smtp_url,      ///< smtp:// or smtps://…
  encryption_key,
  encryption_keys,
  networks,  ///< Address ranges with commas between them.
  ports,     ///< The same of ports.
};

using Slot = std::variant<std::string*, std::filesystem::path*, base::Secret*, std::uint16_t*, std::uint32_t*, bool*,
                          std::chrono::milliseconds*, base::LogLevel*>;

struct Range {
  std::int64_t least = 0;  ///< Durations: milliseconds.
  std::int64_t most = 0;   ///< 0: whatever the field can hold.
};

struct Setting {
  std::string_view name;  ///< In the environment and in .env.
  std::string_view path;  ///< In switchboard.toml.
  Kind kind;
  std::string_view standard;  ///< The default, written as an operator would; empty for none.
  std::string_view about;     ///< One sentence for people.
  Slot (*slot)(Settings&);
  Range range = {};
  bool serve_needs_it = false;
};

/// In the order in which people should read them.
std::span<Setting const> table();

Setting const* find_by_name(std::string_view name);
Setting const* find_by_path(std::string_view path);

/// Secrets come from the environment, .env or a file named by NAME_FILE, never from switchboard.toml or a flag.
bool is_secret(Setting const& setting);

/// TWILIO_AUTH_TOKEN -> "twilio-auth-token"; SWITCHBOARD_OPS_PORT -> "ops-port". Without the leading dashes.
std::string flag_of(Setting const& setting);

/// "TWILIO_AUTH_TOKEN_FILE"; meaningful for secrets only.
std::string file_name_of(Setting const& setting);

}  // namespace config
