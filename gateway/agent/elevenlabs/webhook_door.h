#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>

#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/base/secret.h"
#include "gateway/net/http.h"

namespace gateway::elevenlabs {

/// Under which source the deliveries of this door stand in the inbox.
inline constexpr char const* inbox_source = "elevenlabs";

struct WebhookServices {
  base::Secret secret;  ///< Empty: everything is refused.
  asio::any_io_executor back_office;
  crm::pg::Pool& database;  ///< The back office's.
  base::TimeSource& time;
  base::Metrics& metrics;
  base::Log log;
  std::function<void()> arrived;  ///< Something new is in the inbox; called in the back office.
  std::chrono::milliseconds write_limit{5000};
};

/// POST /api/elevenlabs/webhook. 200 means that the delivery is durably in the inbox, or has been there before, or is
/// of a kind that we have no use for. 401 unsigned, 400 signed but unreadable, 503 when it could not be kept: they send
/// it again. Any core may ask; hashing, reading and writing happen in the back office.
class WebhookDoor {
 public:
  explicit WebhookDoor(WebhookServices services) : services_{std::move(services)} {}

  base::Async<net::Response> receive(net::Request request);

 private:
  base::Async<net::Response> take_in(net::Request const& request);
  net::Response counted(char const* result, net::Response response);

  WebhookServices services_;
};

}  // namespace gateway::elevenlabs
