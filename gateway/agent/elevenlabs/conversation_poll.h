#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <string>
#include <vector>

#include "crm/outcome/unenriched.h"
#include "crm/pg/pool.h"
#include "gateway/agent/elevenlabs/conversations.h"
#include "gateway/agent/elevenlabs/post_call_reader.h"
#include "gateway/base/bell.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"

namespace gateway::elevenlabs {

/// Asks for conversations of calls that are over and of which no webhook has told. What a webhook brings meanwhile
/// wins; that a call is asked for is written beside its outcome, so several processes share the work. Lives in the back
/// office.
class ConversationPoll {
 public:
  struct Settings {
    std::chrono::milliseconds after{60'000};  ///< Since the call's outcome stands.
    std::chrono::milliseconds look_every{10'000};
    std::chrono::milliseconds first_backoff{15'000};  ///< While the provider still works on it; doubles.
    std::chrono::milliseconds longest_backoff{900'000};
    std::chrono::milliseconds rest{300'000};       ///< When the key is refused.
    std::chrono::milliseconds breath{30'000};      ///< When it is too much and they do not say how long.
    std::chrono::milliseconds lease{180'000};      ///< Longer than a round takes.
    std::chrono::milliseconds oldest{86'400'000};  ///< Then it is given up.
    int most_a_round = 20;
  };
  static constexpr std::size_t at_once = 4;

  ConversationPoll(asio::any_io_executor executor, Conversations& conversations, crm::pg::Pool& database,
                   base::TimeSource& time, base::Log log, base::Metrics& metrics, ApplyPostCall apply,
                   Settings settings);

  /// Until it is cancelled.
  base::Async<> run();
  /// A call may have been closed for which nobody needs to wait.
  void ring() { bell_.ring(); }
  /// One round; how many calls it asked for, nothing when the database could not be asked.
  base::Async<std::optional<std::size_t>> look();

 private:
  base::Async<> work_off();
  base::Async<> ask(crm::UnenrichedCall call);
  base::Async<> take(crm::UnenrichedCall const& call, PostCall told);
  base::Async<> excuse(crm::UnenrichedCall const& call, Unread unread);
  base::Async<> again(crm::UnenrichedCall const& call, std::chrono::milliseconds later, std::string why);
  base::Async<> give_up(crm::UnenrichedCall const& call, std::string why);
  void pause(std::chrono::milliseconds span);
  std::chrono::milliseconds backoff(int polls) const;

  Conversations& conversations_;
  crm::pg::Pool& database_;
  base::TimeSource& time_;
  base::Log log_;
  ApplyPostCall apply_;
  Settings settings_;
  base::Bell bell_;
  std::vector<crm::UnenrichedCall> waiting_;  // of this round
  base::Instant paused_until_{};
  bool key_refused_ = false;
  prometheus::Counter& applied_;
  prometheus::Counter& early_;
  prometheus::Counter& failed_;
  prometheus::Counter& given_up_;
};

}  // namespace gateway::elevenlabs
