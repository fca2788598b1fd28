#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// TwiML verbs as plain values; names and attributes after Twilio's TwiML reference (helper library 6.2, 2026).
/// An empty text or a zero duration leaves the attribute out, so that Twilio's default applies. URLs are absolute.
namespace twiml {

struct Pause {
  std::chrono::seconds length{1};
};

struct Say {
  std::string text;
  std::string voice = {};
  std::string language = {};
};

/// Plays a sound file, or sends keys (`digits`: 0-9 * # and w for half a second) when `url` is empty.
struct Play {
  std::string url;
  std::string digits = {};
};

/// Two-way audio over a WebSocket; blocks until the socket closes, then `action` or the next verb runs.
struct ConnectStream {
  std::string url;  ///< wss://… without query, which Twilio would drop; ws:// reaches simulators only.
  std::vector<std::pair<std::string, std::string>> parameters = {};  ///< Name and value together under 500 characters.
  std::string name = {};
  std::string status_callback = {};
  std::string action = {};
};

struct Redirect {
  std::string url;
};

struct Hangup {};

/// Declines without billing; works as the first verb only.
struct Reject {
  enum class Reason { rejected, busy };
  Reason reason = Reason::rejected;
};

struct Dial {
  std::string number;
  std::string caller_id = {};
  std::chrono::seconds timeout{0};  ///< Ringing; Twilio's default is 30 s.
  std::string action = {};
  bool answer_on_bridge = false;  ///< The caller keeps hearing ringing until the callee answers.
  std::chrono::seconds time_limit{0};
};

struct Record {
  std::string action;  ///< Required: without it Twilio runs the current document again, for ever.
  std::chrono::seconds max_length{0};
  std::chrono::seconds timeout{0};  ///< Silence that ends the recording.
  bool play_beep = true;
  std::string finish_on_key = {};
  bool trim_silence = false;
  std::string status_callback = {};  ///< Told when the sound file is ready.
};

using Verb = std::variant<Pause, Say, Play, ConnectStream, Redirect, Hangup, Reject, Dial, Record>;

}  // namespace twiml
