#pragma once
// What happens for a call once it is over: other systems are told, and what the agent's provider says later is added.
#include <memory>
#include <optional>
#include <string>

#include "config/settings.h"
#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/base/task_group.h"
#include "gateway/net/http_client.h"
#include "gateway/net/router.h"
#include "gateway/twilio/accounts.h"
#include "gateway/twilio/signature.h"

namespace gateway {

/// What it needs of the process; all of it outlives it.
struct AfterCallServices {
  config::Settings const& settings;
  asio::any_io_executor back_office;
  crm::pg::Pool& database;                 ///< The back office's,
  crm::pg::PoolSettings telling_database;  ///< and how the outbox connects for itself.
  base::TimeSource& time;
  net::HttpClient& http;  ///< For the operator's own vendors.
  twilio::Accounts const& accounts;
  twilio::SignatureVerifier const& verifier;
  base::Metrics& metrics;
  base::Log log;
};

/// The outbox with its targets, and the doors at which its targets and the agent's provider answer. Lives in the back
/// office; requests may come to any core.
class AfterCall {
 public:
  /// Throws std::runtime_error when a key of the vault or the egress policy cannot be read.
  explicit AfterCall(AfterCallServices services);
  ~AfterCall();

  void add_routes(net::Router& router);
  /// Begins; the tasks end when their group is drained.
  void start(base::TaskGroup& tasks);
  /// Something may be in the outbox, or wait for an outcome. Any thread.
  void ring();
  /// When the agent's conversation ended; nothing while it goes on. Any fault means that nobody knows. In the back
  /// office.
  base::Async<base::Result<std::optional<base::TimeSource::Wall>>> end_of_conversation(std::string id);
  /// A call was closed whose gateway had died: the provider may know more of it. In the back office.
  void call_was_lost();
  /// Takes nothing more out of the outbox and waits for what is under way.
  base::Async<> drain(base::TimeSource::Clock::duration grace);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway
