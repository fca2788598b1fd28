// Conversation: what the client says.
#include <cmath>

#include "loadtest/sim/elevenlabs/conversation.h"

namespace sim::elevenlabs {
namespace {

using Clock = base::TimeSource::Clock;

/// Speech never comes near this; mu-law read as PCM or PCM read as mu-law does.
constexpr double louder_than_any_voice_dbfs = -5.5;
constexpr Milliseconds wrong_codec_after{200};

}  // namespace

void Conversation::on_text(std::string_view message) {
  if (over_) return;
  current_frame_ = message;
  last_receipt_ = stage_.time.now();
  auto const decoded = decode_client_message(message);
  if (decoded)
    hear(*decoded);
  else
    find_fault(Severity::violation, decoded.error().kind, decoded.error().detail);
  current_frame_ = {};
  stage_.changed.ring();
}

void Conversation::on_binary(std::size_t bytes) {
  last_receipt_ = stage_.time.now();
  find_fault(Severity::violation, "binary", "a binary message of " + std::to_string(bytes) + " bytes");
}

void Conversation::hear(FromClient const& message) {
  bool const is_client_data = std::holds_alternative<ClientData>(message);
  if (!got_client_data_ && !is_client_data) {
    if (record_.count("first_frame") == 0)
      find_fault(Severity::violation, "first_frame", "the first message must be conversation_initiation_client_data");
    return;
  }
  if (queued_ && !std::holds_alternative<Pong>(message)) {
    ++record_.discarded_while_queued;
    return;
  }
  std::visit([this](auto const& known) { hear(known); }, message);
}

void Conversation::hear(ClientData const& data) {
  if (got_client_data_) {
    find_fault(Severity::violation, "second_client_data", "client data may come once");
    return;
  }
  got_client_data_ = true;
  record_.client_data = data.json;
  initiation_ = read_initiation(data.json, agent_);
  for (auto const& remark : initiation_.violations) find_fault(Severity::violation, remark.kind, remark.detail);
  for (auto const& remark : initiation_.warnings) find_fault(Severity::warning, remark.kind, remark.detail);
  record_.variables = initiation_.variables;
  record_.user_id = initiation_.user_id;
  note("client_data", std::to_string(initiation_.variables.size()) + " variables");
  bell_.ring();
}

void Conversation::hear(UserAudio const& audio) {
  auto const now = stage_.time.now();
  auto const sample_bytes = media::bytes_per_sample(record_.input.codec);
  if (audio.bytes.size() % sample_bytes != 0)
    find_fault(Severity::violation, "odd_frame", std::to_string(audio.bytes.size()) + " bytes of 16-bit PCM");
  if (stage_.keep_audio) {
    record_.caller_chunks.push_back({now, record_.caller_audio.size(), audio.bytes.size()});
    record_.caller_audio.insert(record_.caller_audio.end(), audio.bytes.begin(), audio.bytes.end());
  }
  record_.caller_bytes += audio.bytes.size();
  ++record_.caller_messages;
  if (record_.caller_messages == 1) note("first_caller_audio", std::to_string(audio.bytes.size()) + " bytes");
  auto const samples = to_samples(audio.bytes, record_.input.codec);
  auto const length =
      std::chrono::nanoseconds{static_cast<std::int64_t>(samples.size()) * 1'000'000'000 / record_.input.rate};
  check_pacing(length);
  check_sound(samples, length);
  for (auto const& event : detector_.push(samples)) {
    last_sign_of_life_ = now;
    if (event.kind == TurnDetector::Kind::turn_ended) {
      note("caller_finished", std::to_string(event.spoken.count()) + " ms");
      triggers_.push_back({Trigger::Kind::speech, {}, event.spoken, {}});
    } else {
      note("caller_speaks");
      if (playback_.playing(now) && interruptible_ && sends("interruption")) interrupt();
    }
    bell_.ring();
  }
}

void Conversation::check_pacing(Clock::duration length) {
  auto const finding = pacing_.arrived(stage_.time.now(), length);
  if (!finding) return;
  if (finding->fault == Pacing::Fault::gap)
    find_fault(Severity::warning, "gap", std::to_string(std::lround(finding->amount)) + " ms without audio");
  else
    find_fault(Severity::violation, "pacing", std::to_string(finding->amount) + " times faster than real time");
}

void Conversation::check_sound(std::span<std::int16_t const> samples, Clock::duration length) {
  if (level_dbfs(samples) > louder_than_any_voice_dbfs)
    too_loud_ += std::chrono::duration_cast<Milliseconds>(length);
  else
    too_loud_ = Milliseconds{0};
  if (too_loud_ >= wrong_codec_after && record_.count("wrong_codec") == 0)
    find_fault(Severity::violation, "wrong_codec",
               "this sounds like noise, not like " + media::to_string(record_.input));
}

void Conversation::hear(Pong const& pong) {
  auto const now = stage_.time.now();
  auto const ping = open_pings_.find(pong.event_id);
  if (ping == open_pings_.end()) {
    find_fault(Severity::violation, "wrong_pong", "no ping " + std::to_string(pong.event_id) + " is open");
    return;
  }
  auto const took = std::chrono::duration_cast<Milliseconds>(now - ping->second);
  open_pings_.erase(ping);
  last_pong_ = now;
  latency_ms_ = took.count();
  record_.pongs.push_back({pong.event_id, took});
  if (took.count() > ways_.pong_limit_ms)
    find_fault(Severity::violation, "late_pong", "after " + std::to_string(took.count()) + " ms");
}

void Conversation::hear(ToolResult const& result) {
  for (auto& tool : record_.tools) {
    if (tool.call_id != result.tool_call_id) continue;
    if (tool.state == ToolRecord::State::not_awaited) return;
    if (tool.state == ToolRecord::State::timed_out) {
      ++record_.late_tool_results;
      find_fault(Severity::warning, "late_tool_result", tool.name);
      return;
    }
    if (tool.state == ToolRecord::State::answered) {
      find_fault(Severity::violation, "duplicate_tool_result", tool.name);
      return;
    }
    tool.state = ToolRecord::State::answered;
    tool.result = result.result;
    tool.is_error = result.is_error;
    tool.took = since_start() - tool.at;
    last_sign_of_life_ = stage_.time.now();
    note("tool_result", tool.name + (tool.is_error ? " failed" : " done"), tool.result);
    bell_.ring();
    return;
  }
  find_fault(Severity::violation, "unknown_tool_result", "no tool call has this id");
}

void Conversation::hear(ContextualUpdate const& update) {
  record_.contextual_updates.push_back(update.text);
  note("contextual_update", update.context_id, update.text);
  for (std::size_t i = 0; i < agent_.turns.size(); ++i) {
    auto const& turn = agent_.turns[i];
    bool const fits =
        turn.when == Turn::When::dtmf && !used_turns_[i] && update.text.find(turn.contains) != std::string::npos;
    if (!fits) continue;
    armed_turn_ = i;
    if (turn.at_once) triggers_.push_back({Trigger::Kind::dtmf, update.text, {}, {}});
    bell_.ring();
    return;
  }
}

void Conversation::hear(UserMessage const& message) {
  record_.user_messages.push_back(message.text);
  last_sign_of_life_ = stage_.time.now();
  note("user_message", {}, message.text);
  triggers_.push_back({Trigger::Kind::message, message.text, {}, {}});
  bell_.ring();
}

void Conversation::hear(UserActivity const&) {
  ++record_.user_activities;
  last_sign_of_life_ = stage_.time.now();
}

void Conversation::hear(Feedback const& feedback) {
  note("feedback", feedback.score);
}

void Conversation::hear(McpApproval const& approval) {
  if (mcp_approvals_.contains(approval.tool_call_id))
    find_fault(Severity::violation, "duplicate_approval", "an approval may be sent once");
  mcp_approvals_.emplace(approval.tool_call_id, approval.is_approved);
  note("mcp_approval", approval.is_approved ? "approved" : "refused");
  bell_.ring();
}

void Conversation::find_fault(Severity severity, std::string kind, std::string detail) {
  constexpr std::size_t frame_shown = 200;
  bool const violation = severity == Severity::violation;
  note(violation ? "violation" : "warning", kind, detail);
  record_.findings.push_back(
      {severity, kind, detail, since_start(), std::string{current_frame_.substr(0, frame_shown)}});
  if (!violation || !ways_.strict || over_ || initiation_.rejection) return;
  tasks_.spawn(end_with({1008, detail, "invalid_message", "contract"}));
}

}  // namespace sim::elevenlabs
