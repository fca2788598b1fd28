#pragma once
#include <deque>
#include <unordered_set>

#include "gateway/base/log.h"
#include "gateway/call/homes.h"
#include "gateway/net/lobby.h"
#include "gateway/twilio/accounts.h"
#include "gateway/twilio/media_stream.h"
#include "gateway/twilio/signature.h"
#include "gateway/twilio/ticket.h"

namespace gateway::twilio {

struct DoorSettings {
  std::chrono::milliseconds start_limit{5000};  ///< Upgrade to a proven start.
  std::chrono::milliseconds idle_limit{20000};  ///< Without caller audio.
};

/// Lets media sockets in. Three proofs before any state is spent on a socket: Twilio's signature over the upgrade, a
/// ticket of ours in the start message, and that ticket unused and made for this very call. One per core; only its own
/// core's thread calls serve().
class MediaDoor {
 public:
  /// `lobby`: where sockets wait until they have proved their call.
  MediaDoor(SignatureVerifier const& verifier, Accounts const& accounts, TicketOffice const& tickets, Calls& calls,
            net::Lobby& lobby, base::TimeSource& time, StreamMetrics& metrics, base::Log log, DoorSettings settings);

  base::Async<> serve(net::PendingUpgrade pending);

 private:
  base::Async<> admit(MediaStream& stream, net::Lobby::Guest& guest);
  base::Result<Call*> prove(Start const& start);

  SignatureVerifier const& verifier_;
  Accounts const& accounts_;
  TicketOffice const& tickets_;
  Calls& calls_;
  net::Lobby& lobby_;
  base::TimeSource& time_;
  StreamMetrics& metrics_;
  base::Log log_;
  DoorSettings settings_;
  std::unordered_set<std::string> used_;
  std::deque<std::pair<base::TimeSource::Wall, std::string>> used_until_;
};

/// "/media/twilio/<core>": which core serves the socket. Routing only, not a proof; out of range is core 0.
std::string media_path(std::size_t core);
std::size_t core_of_media_path(std::string_view path, std::size_t cores);

}  // namespace gateway::twilio
