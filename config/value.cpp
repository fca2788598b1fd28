#include "config/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "config/encryption_key.h"
#include "config/finding.h"
#include "config/network_list.h"
#include "config/web_address.h"
#include "gateway/base/ids.h"

namespace config {
namespace {

using Stored = std::expected<void, Refusal>;

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr auto units = std::to_array<Unit>({{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});

constexpr auto levels =
    std::to_array<std::pair<std::string_view, base::LogLevel>>({{"debug", base::LogLevel::debug},
                                                                {"info", base::LogLevel::info},
                                                                {"warning", base::LogLevel::warning},
                                                                {"error", base::LogLevel::error},
                                                                {"off", base::LogLevel::off}});

std::unexpected<Refusal> refuse(std::string problem, std::string fix) {
  return std::unexpected{Refusal{std::move(problem), std::move(fix)}};
}

std::optional<std::int64_t> read_whole(std::string_view text) {
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class Number>
Stored store_whole(Setting const& setting, std::string_view text, Number& into) {
  auto const number = read_whole(text);
  auto const fix = fmt::format("write a whole number from {} to {}", setting.range.least, setting.range.most);
  if (!number) return refuse(fmt::format("{} is not a number", cited(text)), fix);
  bool const in_range = *number >= setting.range.least && *number <= setting.range.most;
  if (!in_range) return refuse(fmt::format("{} is out of range", *number), fix);
  into = static_cast<Number>(*number);
  return {};
}

Stored store_duration(Setting const& setting, std::string_view text, std::chrono::milliseconds& into) {
  auto const duration = read_duration(text);
  if (!duration)
    return refuse(fmt::format("{} is not a duration", cited(text)), "write for example 200ms, 8s, 5m or 1h");
  bool const in_range = duration->count() >= setting.range.least && duration->count() <= setting.range.most;
  if (!in_range) {
    return refuse(
        fmt::format("{} is out of range", write_duration(*duration)),
        fmt::format("write a duration from {} to {}", write_duration(std::chrono::milliseconds{setting.range.least}),
                    write_duration(std::chrono::milliseconds{setting.range.most})));
  }
  into = *duration;
  return {};
}

Stored store_yes_or_no(std::string_view text, bool& into) {
  bool const yes = text == "true" || text == "yes" || text == "on" || text == "1";
  bool const no = text == "false" || text == "no" || text == "off" || text == "0";
  if (!yes && !no) return refuse(fmt::format("{} is neither yes nor no", cited(text)), "write true or false");
  into = yes;
  return {};
}

Stored store_level(std::string_view text, base::LogLevel& into) {
  auto const* const level = std::ranges::find(levels, text, &decltype(levels)::value_type::first);
  if (level == levels.end())
    return refuse(fmt::format("{} is no log level", cited(text)), "write debug, info, warning, error or off");
  into = level->second;
  return {};
}

bool is_printable(std::string_view text, char lowest) {
  return std::ranges::all_of(text, [lowest](char c) { return c >= lowest && c <= '~'; });
}

bool begins_with_one_of(std::string_view text, std::initializer_list<std::string_view> schemes) {
  return std::ranges::any_of(schemes,
                             [text](auto scheme) { return text.starts_with(scheme) && text.size() > scheme.size(); });
}

Stored check_public_url(std::string_view text) {
  auto const address = read_web_address(text);
  // The text is not repeated: it may hold a password.
  if (!address || !address->path.empty())
    return refuse("is not https://host[:port] without path, query or user",
                  "write for example https://voice.example.com");
  if (address->scheme == "http" && !is_loopback(address->host))
    return refuse("is plain http beyond this machine, which Twilio's media streams refuse", "use https://");
  return {};
}

Stored check_base_url(std::string_view text) {
  if (read_web_address(text)) return {};
  return refuse("is not an http(s) address without query or user", "write for example https://api.example.com");
}

Stored check_origin(std::string_view text) {
  auto const address = read_web_address(text);
  if (address && address->path.empty()) return {};
  return refuse("is not an origin", "write scheme and host only, for example https://voice.example.com");
}

/// Everything that is kept as text, secret or not. Refusals of secrets say what is expected and never what was found.
Stored check_text(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::text:
      if (is_printable(text, ' ')) return {};
      return refuse(fmt::format("{} holds characters that cannot be printed", cited(text)), "use plain ASCII");
    case Kind::token:
      if (is_printable(text, '!')) return {};
      return refuse("holds a space, a line break or a character beyond ASCII",
                    "copy the credential again, nothing around it");
    case Kind::passphrase:
    case Kind::path:
      if (text.find_first_of(std::string_view{"\0\n\r", 3}) == std::string_view::npos) return {};
      return refuse("holds a line break or a zero byte", "write it on one line");
    case Kind::address:
      if (is_ip_address(std::string{text})) return {};
      return refuse(fmt::format("{} is not an IP address", cited(text)), "write for example 127.0.0.1, 0.0.0.0 or ::");
    case Kind::account_sid:
      if (base::is_twilio_sid(text, "AC")) return {};
      return refuse("is not an Account SID", "copy AC and its 32 hex digits from the Twilio console");
    case Kind::public_url:
      return check_public_url(text);
    case Kind::base_url:
      return check_base_url(text);
    case Kind::origin:
      return check_origin(text);
    case Kind::https_url:
      if (is_printable(text, '!') && begins_with_one_of(text, {"https://"})) return {};
      return refuse("is not an https address", "copy the whole address, https:// included");
    case Kind::database_url:
      if (is_printable(text, '!') && begins_with_one_of(text, {"postgresql://", "postgres://"})) return {};
      return refuse("is not a PostgreSQL address", "write postgresql://user:password@host:5432/database");
    case Kind::smtp_url:
      if (is_printable(text, '!') && begins_with_one_of(text, {"smtp://", "smtps://"})) return {};
      return refuse("is not a mail server address", "write smtps://user:password@host:465");
    case Kind::encryption_key:
      if (decode_encryption_key(text)) return {};
      return refuse("is neither 64 hex digits nor base64 of 32 bytes",
                    "make one with switchboard generate-encryption-key");
    case Kind::encryption_keys:
      if (decode_encryption_keys(text)) return {};
      return refuse("holds a key that is neither 64 hex digits nor base64 of 32 bytes",
                    "write the old keys with commas between");
    case Kind::networks:
      if (is_network_list(text)) return {};
      return refuse(fmt::format("{} holds something that is no address range", cited(text)),
                    "write for example 10.1.0.0/16, fd00::/8, with zeros behind the prefix");
    case Kind::ports:
      if (is_port_list(text)) return {};
      return refuse(fmt::format("{} holds something that is no port", cited(text)), "write for example 8443, 3000");
    case Kind::port:
    case Kind::count:
    case Kind::yes_or_no:
    case Kind::duration:
    case Kind::log_level:
      break;
  }
  return refuse("is not text", "see switchboard serve --help");
}

/// Addresses lose their trailing slashes, so that a path can always be appended.
std::string_view normalised(Kind kind, std::string_view text) {
  if (kind != Kind::public_url && kind != Kind::base_url && kind != Kind::origin) return text;
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace

std::optional<std::chrono::milliseconds> read_duration(std::string_view text) {
  auto const digits = text.substr(0, text.find_first_not_of("0123456789"));
  auto const number = read_whole(digits);
  auto const* const unit = std::ranges::find(units, text.substr(digits.size()), &Unit::name);
  if (!number || unit == units.end()) return std::nullopt;
  if (*number > std::numeric_limits<std::int64_t>::max() / unit->milliseconds) return std::nullopt;
  return std::chrono::milliseconds{*number * unit->milliseconds};
}

std::string write_duration(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  auto const divides = [duration](Unit const& unit) { return duration.count() % unit.milliseconds == 0; };
  auto const* const unit = std::ranges::find_if(units, divides);
  return fmt::format("{}{}", duration.count() / unit->milliseconds, unit->name);
}

std::string_view to_string(base::LogLevel level) {
  return std::ranges::find(levels, level, &decltype(levels)::value_type::second)->first;
}

Stored store(Setting const& setting, std::string_view text, Settings& into) {
  auto const checked = [&](auto keep) -> Stored {
    auto const value = normalised(setting.kind, text);
    auto verdict = check_text(setting.kind, value);
    if (verdict) keep(std::string{value});
    return verdict;
  };
  return std::visit(
      Overloaded{
          [&](std::string* field) { return checked([field](std::string value) { *field = std::move(value); }); },
          [&](std::filesystem::path* field) {
            return checked([field](std::string value) { *field = std::move(value); });
          },
          [&](base::Secret* field) {
            return checked([field](std::string value) { *field = base::Secret{std::move(value)}; });
          },
          [&](std::uint16_t* field) { return store_whole(setting, text, *field); },
          [&](std::uint32_t* field) { return store_whole(setting, text, *field); },
          [&](bool* field) { return store_yes_or_no(text, *field); },
          [&](std::chrono::milliseconds* field) { return store_duration(setting, text, *field); },
          [&](base::LogLevel* field) { return store_level(text, *field); },
      },
      setting.slot(into));
}

std::string shown(Setting const& setting, Settings const& settings) {
  Settings copy = settings;
  return std::visit(Overloaded{
                        [](std::string* field) { return *field; },
                        [](std::filesystem::path* field) { return field->string(); },
                        [](base::Secret* field) { return std::string{field->empty() ? "" : "***"}; },
                        [](bool* field) { return std::string{*field ? "true" : "false"}; },
                        [](std::chrono::milliseconds* field) { return write_duration(*field); },
                        [](base::LogLevel* field) { return std::string{to_string(*field)}; },
                        [](auto* number) { return fmt::format("{}", *number); },
                    },
                    setting.slot(copy));
}

}  // namespace config
