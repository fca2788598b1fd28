#include "config/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace config {
namespace {

std::string_view placeholder(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "<text>";
    case Kind::token:
    case Kind::passphrase:
      return "<secret>";
    case Kind::address:
      return "<address>";
    case Kind::port:
      return "<port>";
    case Kind::count:
      return "<number>";
    case Kind::yes_or_no:
      return "<true|false>";
    case Kind::duration:
      return "<duration>";
    case Kind::log_level:
      return "<level>";
    case Kind::path:
      return "<path>";
    case Kind::account_sid:
      return "<AC...>";
    case Kind::public_url:
    case Kind::base_url:
    case Kind::origin:
    case Kind::https_url:
    case Kind::database_url:
    case Kind::smtp_url:
      return "<url>";
    case Kind::encryption_key:
      return "<key>";
    case Kind::encryption_keys:
      return "<key,...>";
    case Kind::networks:
      return "<range,...>";
    case Kind::ports:
      return "<port,...>";
  }
  return "<value>";
}

bool is_toml_bare(Kind kind) {
  return kind == Kind::port || kind == Kind::count || kind == Kind::yes_or_no;
}

std::string_view section_of(Setting const& setting) {
  auto const dot = setting.path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : setting.path.substr(0, dot);
}

std::string_view key_of(Setting const& setting) {
  auto const dot = setting.path.rfind('.');
  return dot == std::string_view::npos ? setting.path : setting.path.substr(dot + 1);
}

std::string toml_entry(Setting const& setting) {
  auto const value =
      is_toml_bare(setting.kind) ? std::string{setting.standard} : fmt::format("\"{}\"", setting.standard);
  return fmt::format("# {}\n#{} = {}\n", setting.about, key_of(setting), value);
}

}  // namespace

std::vector<FlagDoc> flag_docs() {
  std::vector<FlagDoc> docs;
  for (auto const& setting : table()) {
    bool const secret = is_secret(setting);
    auto const value = secret ? std::string_view{"<path>"} : placeholder(setting.kind);
    auto names = secret ? fmt::format("{} or {}", setting.name, file_name_of(setting))
                        : fmt::format("{}, {}", setting.name, setting.path);
    if (!setting.standard.empty()) names += fmt::format("; default {}", setting.standard);
    if (setting.serve_needs_it) names += "; required";
    docs.push_back(
        {flag_of(setting) + (secret ? "-file" : ""), std::string{value}, fmt::format("{} [{}]", setting.about, names)});
  }
  return docs;
}

std::string help_text() {
  std::string text =
      "Settings come from switchboard.toml, .env, the environment and flags; later ones win, an empty value brings "
      "back\n"
      "the default. Secrets are read from the environment, from .env, or from a file of mode 0600 named by "
      "NAME_FILE.\n";
  for (auto const& doc : flag_docs()) text += fmt::format("\n  --{} {}\n      {}\n", doc.flag, doc.value, doc.about);
  return text;
}

std::string example_toml() {
  std::string text =
      "# Settings of Switchboard. Copy to switchboard.toml and take away the # of what you change; what stands here "
      "are\n"
      "# the defaults. Secrets do not belong here: see env.example.\n";
  auto const write_section = [&text](std::string_view section) {
    if (!section.empty()) text += fmt::format("\n[{}]\n", section);
    for (auto const& setting : table())
      if (section_of(setting) == section && !is_secret(setting)) text += '\n' + toml_entry(setting);
  };
  write_section("");  // keys of no section must stand before the first one
  std::vector<std::string_view> written = {""};
  for (auto const& setting : table()) {
    auto const section = section_of(setting);
    bool const is_new = std::find(written.begin(), written.end(), section) == written.end();
    if (!is_new || is_secret(setting)) continue;
    write_section(section);
    written.push_back(section);
  }
  return text;
}

std::string example_env() {
  std::string text =
      "# Copy to .env, chmod 600 .env, and fill in. The names that are not commented out must be set to take calls.\n"
      "# Instead of a secret, NAME_FILE may name a file (mode 0600) that holds it.\n";
  for (auto const& setting : table()) {
    auto const mark = setting.serve_needs_it ? "" : "#";
    text += fmt::format("\n# {}\n{}{}={}\n", setting.about, mark, setting.name, setting.standard);
  }
  return text;
}

}  // namespace config
