#pragma once
#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "crm/adapters/hubspot/fault.h"
#include "crm/adapters/hubspot/mapping.h"
#include "crm/adapters/hubspot/message.h"
#include "crm/adapters/hubspot/settings.h"
#include "gateway/net/http_client.h"

namespace crm::hubspot {

template <class T>
using Answered = std::expected<T, Denial>;

/// A record after it was written.
struct Written {
  std::string id;
  bool created = false;
  int status = 0;
};

/// HubSpot's requests, one function each: one request, one answer, nothing repeated. Lives on one thread; requests may
/// overlap.
class Api {
 public:
  Api(net::HttpClient& http, base::TimeSource& time, Settings const& settings)
      : http_{http}, time_{time}, settings_{settings}, paths_{settings.version} {}

  base::Async<Answered<Account>> account(base::Instant deadline);
  base::Async<Answered<Schema>> schema(std::string type, base::Instant deadline);
  /// Those of `names` that exist; for accounts whose whole schema is longer than we may take.
  base::Async<Answered<Schema>> schema_of(std::string type, std::vector<std::string> names, base::Instant deadline);
  base::Async<Answered<PropertyDefinition>> create_property(std::string type, std::string body, base::Instant deadline);
  /// Any contact: shows that records may be read.
  base::Async<Answered<void>> peek(std::string type, base::Instant deadline);
  /// By the record's own id, or by a unique property: not through the search index, which lags.
  base::Async<Answered<std::optional<RemoteObject>>> find(std::string type, std::string id, std::string id_property,
                                                          std::vector<std::string> properties, base::Instant deadline);
  /// At most four a second, as the account allows; waits for its turn.
  base::Async<Answered<std::vector<RemoteObject>>> search(std::string type, std::string body, base::Instant deadline);
  base::Async<Answered<Written>> upsert(std::string type, std::string body, base::Instant deadline);
  base::Async<Answered<Written>> create(std::string type, std::string body, base::Instant deadline);
  base::Async<Answered<Written>> update(std::string type, std::string id, std::string body, base::Instant deadline);
  /// Saying it again changes nothing.
  base::Async<Answered<void>> link(std::string type, std::string id, std::string contact, base::Instant deadline);

 private:
  struct Ask {
    Effect effect;
    std::string method;
    std::string target;
    std::string body;
    std::size_t max_response_bytes = 1024 * 1024;
  };
  /// A 2xx answer that says it is JSON.
  base::Async<Answered<net::Response>> ask(Ask ask, base::Instant deadline);
  base::Async<Answered<Written>> write(Ask ask, base::Instant deadline);
  base::Async<Answered<void>> await_search_turn(base::Instant deadline);
  std::chrono::milliseconds rest_of_day() const { return until_midnight(time_.wall(), utc_offset_); }

  net::HttpClient& http_;
  base::TimeSource& time_;
  Settings const& settings_;
  Paths paths_;
  std::deque<base::Instant> searches_;  // the latest, oldest first
  std::optional<std::chrono::minutes> utc_offset_;
};

}  // namespace crm::hubspot
