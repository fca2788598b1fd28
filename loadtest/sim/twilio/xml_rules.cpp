#include "loadtest/sim/twilio/xml_rules.h"

#include <algorithm>
#include <map>
#include <vector>

namespace sim::twilio {
namespace {

using Names = std::vector<std::string_view>;

bool has(Names const& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto const lead = static_cast<unsigned char>(text[i]);
    std::size_t const length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    i += length;
  }
  return true;
}

bool is_entity(std::string_view text) {
  auto const end = text.find(';');
  if (end == std::string_view::npos || end > 10) return false;
  auto const name = text.substr(0, end);
  if (has({"amp", "lt", "gt", "quot", "apos"}, name)) return true;
  if (name.size() < 2 || name[0] != '#') return false;
  bool const hex = name[1] == 'x';
  auto const digits = name.substr(hex ? 2 : 1);
  return !digits.empty() &&
         digits.find_first_not_of(hex ? "0123456789abcdefABCDEF" : "0123456789") == std::string_view::npos;
}

/// The end of a comment or CDATA section that begins at `at`, or `at` itself when none does.
std::size_t skip_literal(std::string_view text, std::size_t at) {
  auto const rest = text.substr(at);
  std::string_view const closing = rest.starts_with("<!--") ? "-->" : rest.starts_with("<![CDATA[") ? "]]>" : "";
  if (closing.empty()) return at;
  auto const end = text.find(closing, at);
  return end == std::string_view::npos ? text.size() : end + closing.size();
}

constexpr std::string_view number_attributes[] = {"url", "method", "statusCallback", "statusCallbackEvent",
                                                  "statusCallbackMethod"};

std::map<std::string_view, Names> const& attributes() {
  static std::map<std::string_view, Names> const table{
      {"Response", {}},
      {"Say", {"voice", "language", "loop"}},
      {"Play", {"loop", "digits"}},
      {"Pause", {"length"}},
      {"Connect", {"action", "method"}},
      {"Stream", {"name", "connectorName", "url", "track", "statusCallback", "statusCallbackMethod"}},
      {"Parameter", {"name", "value"}},
      {"Redirect", {"method"}},
      {"Hangup", {}},
      {"Reject", {"reason"}},
      {"Dial",
       {"action",
        "method",
        "answerOnBridge",
        "callerId",
        "callReason",
        "hangupOnStar",
        "record",
        "recordingStatusCallback",
        "recordingStatusCallbackMethod",
        "recordingStatusCallbackEvent",
        "recordingTrack",
        "recordingConfigurationId",
        "events",
        "passports",
        "referUrl",
        "referMethod",
        "ringTone",
        "sequential",
        "timeLimit",
        "timeout",
        "trim"}},
      {"Number",
       {"url", "method", "sendDigits", "statusCallback", "statusCallbackEvent", "statusCallbackMethod", "byoc",
        "machineDetection", "machineDetectionTimeout", "machineDetectionSpeechThreshold",
        "machineDetectionSpeechEndThreshold", "machineDetectionSilenceTimeout", "amdStatusCallback",
        "amdStatusCallbackMethod"}},
      {"Client", {std::begin(number_attributes), std::end(number_attributes)}},
      {"Sip",
       {"username", "password", "url", "method", "statusCallback", "statusCallbackEvent", "statusCallbackMethod",
        "machineDetection", "machineDetectionTimeout", "machineDetectionSpeechThreshold",
        "machineDetectionSpeechEndThreshold", "machineDetectionSilenceTimeout", "amdStatusCallback",
        "amdStatusCallbackMethod"}},
      {"Conference",
       {"startConferenceOnEnter",
        "endConferenceOnExit",
        "muted",
        "beep",
        "maxParticipants",
        "waitUrl",
        "waitMethod",
        "record",
        "recordingStatusCallback",
        "recordingStatusCallbackMethod",
        "recordingStatusCallbackEvent",
        "statusCallback",
        "statusCallbackEvent",
        "statusCallbackMethod",
        "eventCallbackUrl",
        "coach",
        "participantLabel",
        "jitterBufferSize",
        "region",
        "trim"}},
      {"Record",
       {"action", "method", "timeout", "finishOnKey", "maxLength", "playBeep", "trim", "recordingStatusCallback",
        "recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "transcribe", "transcribeCallback",
        "recordingConfigurationId"}},
      {"Gather",
       {"action", "method", "input", "numDigits", "timeout", "finishOnKey", "speechTimeout", "speechModel", "language",
        "hints", "enhanced", "profanityFilter", "bargeIn", "maxSpeechTime", "partialResultCallback",
        "partialResultCallbackMethod", "actionOnEmptyResult", "debug"}},
  };
  return table;
}

std::map<std::string_view, Names> const& children() {
  static std::map<std::string_view, Names> const table{
      {"Response", {"Say",   "Play", "Pause",   "Connect", "Redirect", "Hangup", "Reject", "Dial",   "Record", "Gather",
                    "Start", "Stop", "Enqueue", "Leave",   "Refer",    "Sms",    "Pay",    "Prompt", "Queue",  "Echo"}},
      {"Connect", {"Stream", "ConversationRelay", "Room", "VirtualAgent", "Conversation", "AiSession", "Autopilot"}},
      {"Stream", {"Parameter"}},
      {"Dial", {"Number", "Client", "Sip", "Conference", "Queue", "Application", "WhatsApp", "Sim"}},
      {"Client", {"Identity", "Parameter"}},
      {"Gather", {"Say", "Play", "Pause"}},
      {"Say",
       {"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w", "amazon:effect",
        "amazon:emotion", "amazon:domain"}},
  };
  return table;
}

}  // namespace

std::optional<Violation> broken_xml_rule(std::string_view text) {
  if (!text.starts_with("<?xml ")) return Violation{12100, "the document must begin with its XML declaration"};
  if (!is_utf8(text)) return Violation{12100, "the document is not UTF-8"};
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
      return Violation{12100, "a control character that XML forbids"};
    if (c == '<') {
      auto const end = skip_literal(text, i);
      if (end != i) i = end - 1;
    } else if (c == '&' && !is_entity(text.substr(i + 1))) {
      return Violation{12100, "an ampersand that begins no known entity"};
    }
  }
  return std::nullopt;
}

bool knows_attribute(std::string_view element, std::string_view attribute) {
  auto const found = attributes().find(element);
  return found == attributes().end() || has(found->second, attribute);
}

bool knows_child(std::string_view parent, std::string_view child) {
  auto const found = children().find(parent);
  return found != children().end() && has(found->second, child);
}

}  // namespace sim::twilio
