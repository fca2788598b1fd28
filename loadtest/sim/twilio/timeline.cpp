#include "loadtest/sim/twilio/timeline.h"

#include <fmt/format.h>

namespace sim::twilio {
namespace {

std::string sentence(Event const& event) {
  auto const& detail = event.detail;
  switch (event.kind) {
    case EventKind::initiated:
      return "call placed";
    case EventKind::ringing:
      return "ringing";
    case EventKind::webhook_answered:
      return fmt::format("{} answered after {:.1f} ms", detail, event.ms);
    case EventKind::answered:
      return "answered";
    case EventKind::says:
      return fmt::format("Twilio says: \"{}\"", detail);
    case EventKind::plays:
      return "Twilio plays a file";
    case EventKind::redirected:
      return "redirected";
    case EventKind::stream_connected:
      return fmt::format("stream connected after {:.1f} ms", event.ms);
    case EventKind::stream_started:
      return "stream started";
    case EventKind::first_audio:
      return fmt::format("first audio {:.0f} ms after the stream's start", event.ms);
    case EventKind::agent_speaks:
      return "agent speaks";
    case EventKind::agent_silent:
      return "agent falls silent";
    case EventKind::caller_speaks:
      return detail.empty() ? "caller speaks" : "caller " + detail;
    case EventKind::caller_silent:
      return "caller falls silent";
    case EventKind::mark:
      return "mark " + detail + " played";
    case EventKind::clear:
      return fmt::format("clear: playback stopped after {:.0f} ms", event.ms);
    case EventKind::dtmf:
      return "caller presses " + detail;
    case EventKind::violation:
      return "VIOLATION " + detail;
    case EventKind::stream_ended:
      return "stream ended: " + detail;
    case EventKind::dialling:
      return "dialling " + detail;
    case EventKind::dial_ended:
      return "dial ended: " + detail;
    case EventKind::recorded:
      return fmt::format("recorded {:.1f} s", event.ms / 1000);
    case EventKind::gathered:
      return "keys gathered: " + detail;
    case EventKind::rest_update:
      return "REST: " + detail;
    case EventKind::callback_delivered:
      return fmt::format("status callback {} answered after {:.1f} ms", detail, event.ms);
    case EventKind::hung_up:
      return "hung up: " + detail;
  }
  return {};
}

}  // namespace

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::initiated:
      return "initiated";
    case EventKind::ringing:
      return "ringing";
    case EventKind::webhook_answered:
      return "webhook_answered";
    case EventKind::answered:
      return "answered";
    case EventKind::says:
      return "says";
    case EventKind::plays:
      return "plays";
    case EventKind::redirected:
      return "redirected";
    case EventKind::stream_connected:
      return "stream_connected";
    case EventKind::stream_started:
      return "stream_started";
    case EventKind::first_audio:
      return "first_audio";
    case EventKind::agent_speaks:
      return "agent_speaks";
    case EventKind::agent_silent:
      return "agent_silent";
    case EventKind::caller_speaks:
      return "caller_speaks";
    case EventKind::caller_silent:
      return "caller_silent";
    case EventKind::mark:
      return "mark";
    case EventKind::clear:
      return "clear";
    case EventKind::dtmf:
      return "dtmf";
    case EventKind::violation:
      return "violation";
    case EventKind::stream_ended:
      return "stream_ended";
    case EventKind::dialling:
      return "dialling";
    case EventKind::dial_ended:
      return "dial_ended";
    case EventKind::recorded:
      return "recorded";
    case EventKind::gathered:
      return "gathered";
    case EventKind::rest_update:
      return "rest_update";
    case EventKind::callback_delivered:
      return "callback_delivered";
    case EventKind::hung_up:
      return "hung_up";
  }
  return "unknown";
}

std::string to_line(Event const& event) {
  auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(event.at).count();
  return fmt::format("{:02}:{:02}.{:03} {}", ms / 60000, ms / 1000 % 60, ms % 1000, sentence(event));
}

}  // namespace sim::twilio
