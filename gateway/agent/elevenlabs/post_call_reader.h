#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <functional>

#include "crm/pg/pool.h"
#include "crm/store/inbox.h"
#include "gateway/agent/elevenlabs/post_call.h"
#include "gateway/base/bell.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"

namespace gateway::elevenlabs {

/// Writes what the provider learned into the outcome of its call, in the session's transaction. False when the outcome
/// is not there yet: what it has written is undone, and it is asked again. Fault::refused, protocol, conflict or
/// not_found: never asked again. Must be repeatable.
using ApplyPostCall = std::function<base::Async<base::Result<bool>>(crm::pg::Session&, PostCall)>;

/// Takes post-call events out of the inbox, each exactly once: applying one and marking it applied is one transaction.
/// Lives in the back office.
class PostCallReader {
 public:
  struct Settings {
    std::chrono::seconds look_all_every{60};  ///< At everything that waits; ring() looks at what is new.
    std::chrono::milliseconds pause{1000};    ///< Between two looks, and after a fault.
    std::chrono::seconds patience{2 * 3600};  ///< With a conversation that no outcome of ours belongs to.
  };

  PostCallReader(asio::any_io_executor executor, crm::pg::Pool& database, base::TimeSource& time, base::Log log,
                 base::Metrics& metrics, ApplyPostCall apply, Settings settings);
  PostCallReader(asio::any_io_executor executor, crm::pg::Pool& database, base::TimeSource& time, base::Log log,
                 base::Metrics& metrics, ApplyPostCall apply)
      : PostCallReader{executor, database, time, std::move(log), metrics, std::move(apply), Settings{}} {}

  /// Until it is cancelled.
  base::Async<> run();
  /// Something new has come, or an outcome it may belong to.
  void ring() { bell_.ring(); }
  /// One look; false when the database could not be asked to the end.
  base::Async<bool> look(bool at_all);

 private:
  enum class Fate { unknown, applied, not_yet, unreadable, gone };
  base::Async<bool> settle(crm::InboxPlace place);
  base::Async<base::Result<>> apply_one(crm::pg::Session& session, std::string key, Fate& fate);
  base::Async<bool> set_aside(std::string key, std::string why);

  crm::pg::Pool& database_;
  base::TimeSource& time_;
  base::Log log_;
  ApplyPostCall apply_;
  Settings settings_;
  base::Bell bell_;
  prometheus::Counter& applied_;
  prometheus::Counter& quarantined_;
};

}  // namespace gateway::elevenlabs
