#pragma once
#include <array>
#include <string_view>
#include <variant>

#include "gateway/agent/elevenlabs/message.h"
#include "gateway/base/metrics.h"
#include "gateway/call/leg.h"

namespace gateway::elevenlabs {

/// The counters of all conversations of the process. Thread safe.
struct Meters {
  explicit Meters(base::Metrics& metrics);

  void count(Incoming const& message) const { messages[message.index()]->Increment(); }
  void count(AgentLegEnd const& end) const { ends[static_cast<std::size_t>(end.kind)]->Increment(); }

  std::array<prometheus::Counter*, std::variant_size_v<Incoming>> messages;
  prometheus::Counter& unreadable;     ///< Text frames that decode() refused.
  prometheus::Counter& binary;         ///< Binary frames, which the protocol does not have.
  prometheus::Counter& too_early;      ///< Messages before the metadata that found no room to wait.
  prometheus::Counter& dropped_audio;  ///< Pieces of the caller's audio that could not be sent.
  prometheus::Counter& unsent;         ///< Other messages of ours that could not be sent.
  prometheus::Counter& retries;
  prometheus::Histogram& connect_seconds;  ///< From the start of an attempt to its metadata.
  std::array<prometheus::Counter*, 6> ends;
};

}  // namespace gateway::elevenlabs
