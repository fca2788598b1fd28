#include "gateway/twilio/webhook.h"

#include <algorithm>
#include <charconv>

#include "gateway/base/text.h"
#include "gateway/twilio/timestamp.h"

namespace gateway::twilio {
namespace {

constexpr std::size_t max_address_bytes = 256;  ///< A SIP URI is the longest kind.
constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t max_word_bytes = 64;
constexpr std::size_t max_url_bytes = 2048;
constexpr std::size_t max_token_bytes = 4096;

/// The field's text, cut before the character that would exceed the limit.
std::string text(net::Form const& form, std::string_view name, std::size_t limit) {
  return std::string{base::clipped(net::find(form, name), limit)};
}

/// The field's text, or nothing when it is too long: half a URL or token is worse than none.
std::string whole(std::string_view value, std::size_t limit) {
  return value.size() <= limit ? std::string{value} : std::string{};
}

template <class Id>
Id sid(net::Form const& form, std::string_view name, std::string_view prefix) {
  auto const value = net::find(form, name);
  return base::is_twilio_sid(value, prefix) ? Id{std::string{value}} : Id{};
}

base::Result<base::CallSid> required_call_sid(net::Form const& form) {
  auto const value = net::find(form, "CallSid");
  if (value.empty()) return base::fail(base::Fault::protocol, "webhook without a CallSid");
  if (!base::is_twilio_sid(value, "CA")) return base::fail(base::Fault::protocol, "webhook with a malformed CallSid");
  return base::CallSid{std::string{value}};
}

std::optional<int> number(net::Form const& form, std::string_view name) {
  auto const value = net::find(form, name);
  int result = 0;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  bool const complete = error == std::errc{} && end == value.data() + value.size();
  if (!complete || result < 0) return std::nullopt;
  return result;
}

std::optional<std::chrono::seconds> seconds(net::Form const& form, std::string_view name) {
  auto const value = number(form, name);
  if (!value) return std::nullopt;
  return std::chrono::seconds{*value};
}

/// Twilio: inbound, outbound-api, outbound-dial.
Direction direction(net::Form const& form) {
  return net::find(form, "Direction").starts_with("outbound") ? Direction::outbound : Direction::inbound;
}

std::optional<bool> truth(std::string_view value) {
  if (value == "true") return true;
  if (value == "false") return false;
  return std::nullopt;
}

std::optional<StreamStatus::Event> stream_event(std::string_view value) {
  if (value == "stream-started") return StreamStatus::Event::started;
  if (value == "stream-stopped") return StreamStatus::Event::stopped;
  if (value == "stream-error") return StreamStatus::Event::error;
  return std::nullopt;
}

}  // namespace

base::Result<VoiceWebhook> decode_voice_webhook(net::Form const& form, std::string_view idempotency_token) {
  auto call_sid = required_call_sid(form);
  if (!call_sid) return std::unexpected{call_sid.error()};
  return VoiceWebhook{.call_sid = std::move(*call_sid),
                      .account_sid = claimed_account(form),
                      .parent_call_sid = sid<base::CallSid>(form, "ParentCallSid", "CA"),
                      .from = text(form, "From", max_address_bytes),
                      .to = text(form, "To", max_address_bytes),
                      .direction = direction(form),
                      .call_status = parse_call_status(net::find(form, "CallStatus")),
                      .forwarded_from = text(form, "ForwardedFrom", max_address_bytes),
                      .caller_name = text(form, "CallerName", max_name_bytes),
                      .stir_verstat = text(form, "StirVerstat", max_word_bytes),
                      .call_token = whole(net::find(form, "CallToken"), max_token_bytes),
                      .answered_by = text(form, "AnsweredBy", max_word_bytes),
                      .digits = text(form, "Digits", max_word_bytes),
                      .idempotency_token = whole(idempotency_token, max_name_bytes)};
}

base::Result<StatusCallback> decode_status_callback(net::Form const& form) {
  auto call_sid = required_call_sid(form);
  if (!call_sid) return std::unexpected{call_sid.error()};
  return StatusCallback{.call_sid = std::move(*call_sid),
                        .account_sid = claimed_account(form),
                        .parent_call_sid = sid<base::CallSid>(form, "ParentCallSid", "CA"),
                        .status = parse_call_status(net::find(form, "CallStatus")),
                        .sequence = number(form, "SequenceNumber"),
                        .duration = seconds(form, "CallDuration"),
                        .sip_code = number(form, "SipResponseCode"),
                        .timestamp = parse_timestamp(net::find(form, "Timestamp")),
                        .from = text(form, "From", max_address_bytes),
                        .to = text(form, "To", max_address_bytes),
                        .direction = direction(form),
                        .answered_by = text(form, "AnsweredBy", max_word_bytes)};
}

base::Result<DialResult> decode_dial_result(net::Form const& form) {
  auto call_sid = required_call_sid(form);
  if (!call_sid) return std::unexpected{call_sid.error()};
  return DialResult{.call_sid = std::move(*call_sid),
                    .account_sid = claimed_account(form),
                    .status = parse_dial_status(net::find(form, "DialCallStatus")),
                    .dial_call_sid = sid<base::CallSid>(form, "DialCallSid", "CA"),
                    .duration = seconds(form, "DialCallDuration"),
                    .bridged = truth(net::find(form, "DialBridged")),
                    .recording_url = whole(net::find(form, "RecordingUrl"), max_url_bytes)};
}

bool DialResult::connected() const {
  bool const answered = status == DialStatus::completed || status == DialStatus::answered;
  return answered && bridged.value_or(true);
}

base::Result<RecordResult> decode_record_result(net::Form const& form) {
  auto call_sid = required_call_sid(form);
  if (!call_sid) return std::unexpected{call_sid.error()};
  auto const recording = net::find(form, "RecordingSid");
  return RecordResult{.call_sid = std::move(*call_sid),
                      .account_sid = claimed_account(form),
                      .recording_sid = base::is_twilio_sid(recording, "RE") ? std::string{recording} : std::string{},
                      .recording_url = whole(net::find(form, "RecordingUrl"), max_url_bytes),
                      .duration = seconds(form, "RecordingDuration"),
                      .digits = text(form, "Digits", max_word_bytes)};
}

base::Result<StreamStatus> decode_stream_status(net::Form const& form) {
  auto call_sid = required_call_sid(form);
  if (!call_sid) return std::unexpected{call_sid.error()};
  return StreamStatus{.call_sid = std::move(*call_sid),
                      .account_sid = claimed_account(form),
                      .stream_sid = sid<base::StreamSid>(form, "StreamSid", "MZ"),
                      .stream_name = text(form, "StreamName", max_name_bytes),
                      .event = stream_event(net::find(form, "StreamEvent")),
                      .error = text(form, "StreamError", max_name_bytes),
                      .timestamp = parse_timestamp(net::find(form, "Timestamp"))};
}

bool is_progress_event(net::Form const& form) {
  return net::find(form, "CallbackSource") == "call-progress-events";
}

base::AccountSid claimed_account(net::Form const& form) {
  return sid<base::AccountSid>(form, "AccountSid", "AC");
}

bool is_e164(std::string_view text) {
  if (text.size() < 8 || text.size() > 16 || text[0] != '+' || text[1] == '0') return false;
  return std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace gateway::twilio
