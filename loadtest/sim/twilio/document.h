#pragma once
// TwiML as Twilio reads it: the simulator's own strict reader, which shares no code with the gateway's writer.
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "loadtest/sim/twilio/message.h"
#include "loadtest/sim/twilio/violation.h"

namespace sim::twilio {

struct Say {
  std::string text;
  unsigned loop = 1;  ///< 0: until the call ends.
};
struct Play {
  std::string url;
  unsigned loop = 1;
  std::string digits;
};
struct Pause {
  std::chrono::seconds length{1};
};
struct Stream {
  std::string url;
  std::string name;
  std::string track = "inbound_track";
  std::string status_callback;
  std::string status_callback_method = "POST";
  Parameters parameters;
};
struct Connect {
  std::string action;
  std::string method = "POST";
  Stream stream;
};
struct Callee {
  std::string kind;  ///< "Number", "Client", "Sip" or "Conference".
  std::string address;
  std::string status_callback;
  std::string status_callback_method = "POST";
  std::vector<std::string> events;
};
struct Dial {
  std::string action;
  std::string method = "POST";
  std::chrono::seconds timeout{30};
  std::chrono::seconds time_limit{14400};
  bool answer_on_bridge = false;
  std::vector<Callee> callees;
};
struct Record {
  std::optional<std::string> action;  ///< Missing: the current document is asked for again.
  std::string method = "POST";
  std::chrono::seconds timeout{5};
  std::chrono::seconds max_length{3600};
  std::string finish_on_key = "1234567890*#";
  std::string recording_status_callback;
  std::string recording_status_callback_method = "POST";
};
struct Gather {
  std::optional<std::string> action;
  std::string method = "POST";
  unsigned num_digits = 0;  ///< 0: no limit.
  std::chrono::seconds timeout{5};
  std::string finish_on_key = "#";
  bool action_on_empty_result = false;
  std::vector<std::variant<Say, Play, Pause>> prompts;
};
struct Redirect {
  std::string url;
  std::string method = "POST";
};
struct Hangup {};
struct Reject {
  std::string reason = "rejected";
};
/// Known to Twilio, but this simulator has nothing that could play it; reported as a violation when it is reached, so
/// that no test passes over it in silence.
struct NotSimulated {
  std::string name;
};

using Verb = std::variant<Say, Play, Pause, Connect, Dial, Record, Gather, Redirect, Hangup, Reject, NotSimulated>;

struct Document {
  std::vector<Verb> verbs;
  std::vector<Violation> warnings;  ///< 12200: unknown names are skipped and the rest runs.
};

/// 11750 over 64 kB, 11770 empty, 12100 not XML (also: anything before the declaration, text that is not UTF-8, an
/// unknown entity, a repeated attribute, a root other than Response).
std::expected<Document, Violation> parse_document(std::string_view body);

enum class Body { twiml, text, audio, unacceptable };

/// By content type (Twilio: "How Twilio interprets responses"); parameters such as charset are ignored.
Body body_kind(std::string_view content_type);

}  // namespace sim::twilio
