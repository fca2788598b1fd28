#pragma once
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace base {

/// A text that names one kind of thing, so that a CallSid never meets a StreamSid by accident.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_{std::move(text)} {}
  std::string const& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(Id const&) const = default;

 private:
  std::string text_;
};

using CallSid = Id<struct CallSidTag>;        ///< Twilio: "CA" + 32 hex digits.
using StreamSid = Id<struct StreamSidTag>;    ///< Twilio: "MZ" + 32 hex digits.
using AccountSid = Id<struct AccountSidTag>;  ///< Twilio: "AC" + 32 hex digits.
using TenantId = Id<struct TenantIdTag>;      ///< Ours: "ten_…".
using AgentId = Id<struct AgentIdTag>;        ///< Ours: "va_…".
using CallId = Id<struct CallIdTag>;          ///< Ours: "call_…".

/// True for two letters plus 32 hex digits, as all Twilio identifiers are.
bool is_twilio_sid(std::string_view text, std::string_view prefix);

/// "prefix_" + 26 characters: 48 bits of milliseconds and 80 random bits, in an alphabet that sorts by time.
std::string new_id(std::string_view prefix);

/// Bytes from the kernel's generator; aborts the process when it gives none.
void fill_random(std::span<std::uint8_t> bytes);

std::string to_hex(std::span<std::uint8_t const> bytes);

/// The form in which a phone number may be logged: "…0100 #3fa2b1c4", last four digits and a keyed hash that is stable
/// within one process run. A text of six bytes or fewer shows no digit of itself.
std::string masked_phone(std::string_view e164);

}  // namespace base
template <class Tag>
struct std::hash<base::Id<Tag>> {
  std::size_t operator()(base::Id<Tag> const& id) const { return std::hash<std::string>{}(id.text()); }
};
