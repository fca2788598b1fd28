#include "gateway/agent/elevenlabs/ending.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace gateway::elevenlabs {
namespace {

using Kind = AgentLegEnd::Kind;

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool speaks_of_quota(std::string_view text) {
  constexpr std::string_view word = "quota";
  auto const same = [](char a, char b) { return lower(a) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

bool speaks_of_quota(ErrorEvent const& error) {
  return speaks_of_quota(error.type) || speaks_of_quota(error.message);
}

/// The flat quota error has no code of its own; the vendor closes with 1002 after it.
std::optional<std::uint16_t> code_of(ErrorEvent const& error) {
  if (error.code) return static_cast<std::uint16_t>(*error.code);
  return speaks_of_quota(error) ? std::optional<std::uint16_t>{1002} : std::nullopt;
}

Kind kind_of(std::uint16_t code) {
  switch (code) {
    case 1000:
      return Kind::finished;
    case 1008:
      return Kind::refused;  // input or contract error: override_error, missing_dynamic_variable, …
    case 1002:               // operational failure: time-outs, LLM, TTS, recognition
    case 1011:
      return Kind::lost;
    default:
      break;
  }
  // 3000 no such agent or not authorised, 3008 and 4300 queue timed out, 4001 and 4003 seen for authorisation.
  return code >= 3000 && code < 5000 ? Kind::refused : Kind::lost;
}

}  // namespace

AgentLegEnd ending_of(Circumstances const& seen) {
  auto const* error = seen.error;
  bool const close_is_silent = seen.close_code == 1000 || seen.close_code == 1005 || seen.close_code == 1006;
  auto const announced = error ? code_of(*error) : std::nullopt;
  auto const code = close_is_silent && announced ? *announced : seen.close_code;
  AgentLegEnd end{kind_of(code), code, for_log(seen.close_reason)};
  if (error && !error->type.empty()) end.detail = fmt::format("{} [{}]", end.detail, for_log(error->type));
  if (error && is_max_duration(*error))
    end.kind = Kind::finished;
  else if (speaks_of_quota(seen.close_reason) || (error && speaks_of_quota(*error)))
    end.kind = Kind::quota;
  else if (seen.queue_timed_out)
    end.kind = Kind::refused;
  return end;
}

bool is_terminal(ErrorEvent const& error) {
  return code_of(error).has_value();
}

bool is_max_duration(ErrorEvent const& error) {
  return error.type == "max_duration_exceeded";
}

std::string for_log(std::string_view text) {
  constexpr std::size_t longest = 120;
  constexpr std::size_t harmless_digits = 4;
  std::string out{text.substr(0, longest)};
  for (std::size_t i = 0; i < out.size();) {
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    auto const end = static_cast<std::size_t>(
        std::find_if_not(out.begin() + static_cast<std::ptrdiff_t>(i), out.end(), is_digit) - out.begin());
    if (end - i > harmless_digits)
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(end), '#');
    i = std::max(end, i + 1);
  }
  return out;
}

std::string_view to_string(AgentLegEnd::Kind kind) {
  switch (kind) {
    case Kind::finished:
      return "finished";
    case Kind::closed:
      return "closed";
    case Kind::refused:
      return "refused";
    case Kind::quota:
      return "quota";
    case Kind::lost:
      return "lost";
    case Kind::unusable:
      return "unusable";
  }
  return "unknown";
}

}  // namespace gateway::elevenlabs
