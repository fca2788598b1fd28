#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/ids.h"
#include "gateway/base/result.h"
#include "gateway/base/time_source.h"
#include "gateway/net/form.h"
#include "gateway/twilio/call_status.h"

/// Twilio's form posts as values. Unknown fields are ignored and odd optional values read as absent, since Twilio adds
/// and changes without notice; only a missing or malformed CallSid is an error (Fault::protocol). Free texts are cut at
/// a limit. Verify the signature over the form first.
namespace gateway::twilio {

enum class Direction { inbound, outbound };

/// A request for TwiML: a new call, or the `action` of a verb.
struct VoiceWebhook {
  base::CallSid call_sid;
  base::AccountSid account_sid;   ///< Empty when missing or malformed.
  base::CallSid parent_call_sid;  ///< Empty on a first leg.
  std::string from;               ///< E.164, client:…, sip:…, a word such as "anonymous", or anything else.
  std::string to;
  Direction direction = Direction::inbound;
  std::optional<CallStatus> call_status;
  std::string forwarded_from;
  std::string caller_name;   ///< CNAM.
  std::string stir_verstat;  ///< "TN-Validation-Passed-A" and the like.
  std::string call_token;    ///< Opaque; lets a transfer keep the caller's number. Empty when absurdly long.
  std::string answered_by;   ///< Outbound with machine detection: "human", "machine_start", …
  std::string digits;
  std::string idempotency_token;  ///< Header I-Twilio-Idempotency-Token: equal here and in CallSid means a repetition.
};

/// A call progress event; answer it with 204.
struct StatusCallback {
  base::CallSid call_sid;
  base::AccountSid account_sid;
  base::CallSid parent_call_sid;
  std::optional<CallStatus> status;
  std::optional<int> sequence;                   ///< From 0, with gaps; absent on inbound calls' only callback.
  std::optional<std::chrono::seconds> duration;  ///< On the final event.
  std::optional<int> sip_code;
  std::optional<base::TimeSource::Wall> timestamp;
  std::string from;
  std::string to;
  Direction direction = Direction::inbound;
  std::string answered_by;
};

/// A <Dial> has ended.
struct DialResult {
  base::CallSid call_sid;
  base::AccountSid account_sid;
  std::optional<DialStatus> status;
  base::CallSid dial_call_sid;  ///< Empty for conferences.
  std::optional<std::chrono::seconds> duration;
  std::optional<bool> bridged;  ///< False with `completed`: the callee hung up on the whisper.
  std::string recording_url;

  /// Did the caller talk to somebody?
  bool connected() const;
};

/// A <Record> has ended, or its sound file is ready.
struct RecordResult {
  base::CallSid call_sid;
  base::AccountSid account_sid;
  std::string recording_sid;  ///< Empty when missing or malformed.
  std::string recording_url;
  std::optional<std::chrono::seconds> duration;
  std::string digits;  ///< The key that ended it, or "hangup".
};

/// A stream has started, stopped or failed; may race the socket.
struct StreamStatus {
  enum class Event { started, stopped, error };
  base::CallSid call_sid;
  base::AccountSid account_sid;
  base::StreamSid stream_sid;
  std::string stream_name;
  std::optional<Event> event;
  std::string error;
  std::optional<base::TimeSource::Wall> timestamp;
};

base::Result<VoiceWebhook> decode_voice_webhook(net::Form const& form, std::string_view idempotency_token = {});
base::Result<StatusCallback> decode_status_callback(net::Form const& form);
base::Result<DialResult> decode_dial_result(net::Form const& form);
base::Result<RecordResult> decode_record_result(net::Form const& form);
base::Result<StreamStatus> decode_stream_status(net::Form const& form);

/// A progress event that came to a TwiML address must not be answered with a second stream.
bool is_progress_event(net::Form const& form);

/// The AccountSid of a form that is not verified yet, to choose the auth tokens by. Empty when missing or malformed.
base::AccountSid claimed_account(net::Form const& form);

/// "+", a digit from 1 to 9, seven to fifteen digits in all.
bool is_e164(std::string_view text);

}  // namespace gateway::twilio
