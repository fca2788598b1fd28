#pragma once
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/async.h"
#include "gateway/base/time_source.h"

namespace crm::pg {

/// Connection settings with every host name resolved (libpq's own look-up would block the thread).
class Address {
 public:
  Address() = default;
  explicit Address(std::vector<std::pair<std::string, std::string>> settings);
  /// Null-terminated, as PQconnectStartParams takes them; valid as long as this.
  std::vector<char const*> keywords() const;
  std::vector<char const*> values() const;

 private:
  std::vector<std::pair<std::string, std::string>> settings_;
};

/// Fault::refused when the text is no conninfo; Fault::unavailable when no host of it has an address.
base::Async<base::Result<Address>> resolve(std::string conninfo, base::TimeSource& time, base::Instant deadline);

}  // namespace crm::pg
