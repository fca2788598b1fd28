#pragma once
// Expected failures as values. Start-up problems throw; broken invariants abort; everything else is a Result.
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace base {

enum class Fault { timed_out, refused, protocol, conflict, not_found, cancelled, unavailable, too_large };

constexpr std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::timed_out:
      return "timed_out";
    case Fault::refused:
      return "refused";
    case Fault::protocol:
      return "protocol";
    case Fault::conflict:
      return "conflict";
    case Fault::not_found:
      return "not_found";
    case Fault::cancelled:
      return "cancelled";
    case Fault::unavailable:
      return "unavailable";
    case Fault::too_large:
      return "too_large";
  }
  return "unknown";
}

struct Error {
  Fault fault;
  std::string detail;  ///< For the log. Never shown to a caller, never holds a secret or a phone number.
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Fault fault, std::string detail) {
  return std::unexpected{Error{fault, std::move(detail)}};
}

}  // namespace base
