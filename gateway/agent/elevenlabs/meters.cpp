#include "gateway/agent/elevenlabs/meters.h"

#include "gateway/agent/elevenlabs/ending.h"

namespace gateway::elevenlabs {
namespace {

base::Metrics::Labels labels(std::string name = {}, std::string_view value = {}) {
  base::Metrics::Labels all{{"provider", "elevenlabs"}};
  if (!name.empty()) all.emplace(std::move(name), std::string{value});
  return all;
}

prometheus::Counter& message_counter(base::Metrics& metrics, std::string_view type) {
  return metrics.counter("switchboard_agent_messages_total", "Messages received from agents.", labels("type", type));
}

}  // namespace

Meters::Meters(base::Metrics& metrics)
    : unreadable{message_counter(metrics, "unreadable")},
      binary{message_counter(metrics, "binary")},
      too_early{message_counter(metrics, "too_early")},
      dropped_audio{metrics.counter("switchboard_agent_dropped_audio_frames_total",
                                    "Pieces of callers' audio that agents did not take.", labels())},
      unsent{metrics.counter("switchboard_agent_unsent_messages_total",
                             "Messages other than audio that agents did not take.", labels())},
      retries{metrics.counter("switchboard_agent_retries_total", "Conversations started a second time.", labels())},
      connect_seconds{metrics.histogram("switchboard_agent_connect_seconds",
                                        "From the start of an attempt to the agent's first message.",
                                        {0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10}, labels())} {
  for (std::size_t i = 0; i < messages.size(); ++i) messages[i] = &message_counter(metrics, incoming_names[i]);
  for (std::size_t i = 0; i < ends.size(); ++i)
    ends[i] = &metrics.counter("switchboard_agent_sessions_total", "Agent conversations by their end.",
                               labels("end", to_string(static_cast<AgentLegEnd::Kind>(i))));
}

}  // namespace gateway::elevenlabs
