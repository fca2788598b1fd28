#pragma once
// What the simulated platform knows: its agents, and for each agent what it says, when, and how it misbehaves. Plain
// values, read from a JSON file whose format README.md in this folder explains.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/base/result.h"
#include "loadtest/sim/elevenlabs/behaviour.h"

namespace sim::elevenlabs {

using Milliseconds = std::chrono::milliseconds;

/// Where the sound of an utterance comes from.
struct AudioSource {
  enum class Kind {
    voice,  ///< Synthetic, speech-like, different for each text.
    tone,   ///< One frequency a turn: tone_hz(event id), so that a recording tells which turn it holds.
    wav,    ///< A recording.
    silence
  };
  Kind kind = Kind::voice;
  std::string wav;         ///< File; looked for beside the scenario, then in /usr/share/sounds/alsa.
  Milliseconds length{0};  ///< 0: as long as the recording, or as the text takes to say.
};

/// Text may name {{variables}}: those of the client, tool_result, the last tool's answer, and what is in the answers of
/// tools: see tool_answer.h.
struct Say {
  std::string text;
  AudioSource audio;
};

struct ToolCall {
  std::string name;
  std::string parameters = "{}";                ///< A JSON object; its texts may name variables.
  std::optional<bool> expects_response = true;  ///< Absent: the field is left out, as older servers do, and we wait.
  Milliseconds timeout{20000};                  ///< The vendor's default of response_timeout_secs.
  std::optional<Say> on_error;                  ///< Said instead of the rest of the turn when the result is an error.
  std::optional<Say> on_timeout;
};

/// All at once, then waits for every answer.
struct CallTools {
  std::vector<ToolCall> calls;
};

struct CallMcpTool {
  std::string name;
  std::string parameters = "{}";
  Milliseconds approval_timeout{300000};
};

struct Pause {
  Milliseconds length{0};
};

struct EndCall {
  std::string reason = "done";
};

/// An error event in one of the shapes seen in the field (contract, client_error, flat, bare, none), then a close.
struct CloseWith {
  std::uint16_t code = 1000;
  std::string reason;
  std::string error_type;
  std::string shape = "none";
};

/// TCP close without a close frame.
struct Drop {};

/// Any text at all, sent as one message.
struct SendRaw {
  std::string text;
};

struct SendBinary {
  std::size_t bytes = 16;
};

using Step = std::variant<Say, CallTools, CallMcpTool, Pause, EndCall, CloseWith, Drop, SendRaw, SendBinary>;

struct Turn {
  enum class When {
    any,      ///< The caller has finished speaking, or a user_message came.
    speech,   ///< The caller has finished speaking.
    message,  ///< A user_message.
    dtmf      ///< A contextual_update came. It never makes the agent speak: the next turn or re-prompt answers it.
  };
  When when = When::any;
  std::string contains;     ///< Only when the message or update contains this text.
  std::string heard;        ///< The transcript of what the caller said; empty: "(spoke for 1.2 s)".
  std::vector<Step> reply;  ///< May be empty: the agent stays silent.
  bool repeat = false;      ///< May be used again.
  bool at_once = false;     ///< For dtmf: answer without waiting for a turn, which the real service does not do.
};

struct Agent {
  std::string id;
  std::string name;
  bool auth = false;
  std::string output_format = "ulaw_8000";
  std::string input_format = "ulaw_8000";
  std::string signed_output_format;  ///< Differs for sessions opened with a signed URL; empty: the same.
  std::string signed_input_format;
  std::string language = "en";
  std::vector<std::string> languages;  ///< Beside `language`.
  std::vector<std::string> overrides;  ///< Permitted paths: "agent.first_message", "tts.voice_id", …
  bool custom_llm_extra_body = false;
  std::vector<std::string> required_variables;      ///< Beside those named in texts.
  std::map<std::string, std::string> placeholders;  ///< Values of variables that the client may leave out.
  std::vector<std::string> client_events;           ///< Events the agent sends; see default_client_events().
  std::optional<Say> first_message;
  std::vector<Turn> turns;
  Say otherwise{"I am sorry, could you say that again?", {}};  ///< When no turn is left.
  Say still_there{"Are you still there?", {}};                 ///< After the turn timeout.
  Behaviour behaviour;
};

std::vector<std::string> default_client_events();

struct Scenario {
  std::vector<std::string> api_keys;  ///< Accepted in xi-api-key; empty: any key that is not empty.
  Milliseconds processing{1500};      ///< From the end of a conversation to its status "done".
  std::string tier = "creator";
  std::vector<Agent> agents;
  std::filesystem::path folder;  ///< Where recordings are looked for first.

  Agent const* find(std::string_view agent_id) const;
};

/// Unknown keys, wrong types and unknown behaviours are refused; the detail names the place.
base::Result<Scenario> parse_scenario(std::string_view json);
/// Throws std::runtime_error with a sentence for the operator.
Scenario load_scenario(std::filesystem::path const& file);
/// One public agent "agent_demo" with a first message that answers every turn; for a simulator started without a file.
Scenario demo_scenario();

}  // namespace sim::elevenlabs
