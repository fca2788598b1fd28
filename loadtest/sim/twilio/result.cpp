#include "loadtest/sim/twilio/result.h"

#include <algorithm>

namespace sim::twilio {

Spread spread_of(std::vector<float>& samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  auto const at = [&](double share) {
    return samples[static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1))];
  };
  return {samples.size(), at(0.5), at(0.99), samples.back()};
}

std::string_view to_string(StreamEnd end) {
  switch (end) {
    case StreamEnd::not_connected:
      return "not connected";
    case StreamEnd::gateway_closed:
      return "closed by the gateway";
    case StreamEnd::gateway_failed:
      return "the gateway failed";
    case StreamEnd::caller_hung_up:
      return "the caller hung up";
    case StreamEnd::call_updated:
      return "the call was updated by REST";
    case StreamEnd::connection_dropped:
      return "connection dropped";
  }
  return "";
}

std::string_view to_string(CallEnding ending) {
  switch (ending) {
    case CallEnding::hung_up_by_caller:
      return "by the caller";
    case CallEnding::hung_up_by_document:
      return "by the document";
    case CallEnding::hung_up_by_rest:
      return "by REST";
    case CallEnding::rejected:
      return "rejected";
    case CallEnding::not_reached:
      return "not reached";
    case CallEnding::application_error:
      return "application error";
    case CallEnding::too_long:
      return "time limit";
    case CallEnding::abandoned:
      return "simulator stopped";
  }
  return "";
}

std::string_view to_string(CallStatus status) {
  switch (status) {
    case CallStatus::queued:
      return "queued";
    case CallStatus::initiated:
      return "initiated";
    case CallStatus::ringing:
      return "ringing";
    case CallStatus::in_progress:
      return "in-progress";
    case CallStatus::completed:
      return "completed";
    case CallStatus::busy:
      return "busy";
    case CallStatus::no_answer:
      return "no-answer";
    case CallStatus::failed:
      return "failed";
    case CallStatus::canceled:
      return "canceled";
  }
  return "";
}

bool is_final(CallStatus status) {
  return status == CallStatus::completed || status == CallStatus::busy || status == CallStatus::no_answer ||
         status == CallStatus::failed || status == CallStatus::canceled;
}

}  // namespace sim::twilio
