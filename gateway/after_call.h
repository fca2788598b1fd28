#pragma once
// What happens for a call once it is over: other systems are told, and what the agent's provider says later is added.
#include <memory>

#include "config/settings.h"
#include "crm/pg/pool.h"
#include "gateway/agent/elevenlabs/webhook_door.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/base/task_group.h"
#include "gateway/net/http_client.h"
#include "gateway/twilio/accounts.h"

namespace gateway {

/// What it needs of the process; all of it outlives it.
struct AfterCallServices {
  config::Settings const& settings;
  asio::any_io_executor back_office;
  crm::pg::Pool& database;  ///< The back office's.
  base::TimeSource& time;
  net::HttpClient& http;  ///< For the operator's own vendors.
  twilio::Accounts const& accounts;
  base::Metrics& metrics;
  base::Log log;
};

/// The outbox with its targets, and the door and reader of post-call webhooks. Lives in the back office; the door may be
/// knocked at from any core.
class AfterCall {
 public:
  /// Throws std::runtime_error when a key of the vault or the egress policy cannot be read.
  explicit AfterCall(AfterCallServices services);
  ~AfterCall();

  elevenlabs::WebhookDoor& webhook_door();
  /// Begins; the tasks end when their group is drained.
  void start(base::TaskGroup& tasks);
  /// Something may be in the outbox, or wait for an outcome. Any thread.
  void ring();
  /// Takes nothing more out of the outbox and waits for what is under way.
  base::Async<> drain(base::TimeSource::Clock::duration grace);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway
