// Conversation: what the agent does.
#include <algorithm>

#include "gateway/base/ids.h"
#include "loadtest/sim/elevenlabs/conversation.h"
#include "loadtest/sim/elevenlabs/tool_answer.h"

namespace sim::elevenlabs {
namespace {

using Clock = base::TimeSource::Clock;
constexpr Milliseconds stale_chunk{200};

Milliseconds to_ms(Clock::duration length) {
  return std::chrono::duration_cast<Milliseconds>(length);
}

std::string spoken_words(Milliseconds spoken) {
  auto const tenths = (spoken.count() + 50) / 100;
  return "(spoke for " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s)";
}

}  // namespace

Turn const* Conversation::choose_turn(Trigger const& trigger) {
  using Kind = Trigger::Kind;
  auto const take = [this](std::size_t i) {
    used_turns_[i] = !agent_.turns[i].repeat;
    return &agent_.turns[i];
  };
  if (armed_turn_) {
    auto const i = *armed_turn_;
    armed_turn_.reset();
    return take(i);
  }
  if (trigger.kind == Kind::silence || trigger.kind == Kind::dtmf) return nullptr;
  for (std::size_t i = 0; i < agent_.turns.size(); ++i) {
    auto const& turn = agent_.turns[i];
    if (used_turns_[i] || turn.when == Turn::When::dtmf) continue;
    if (turn.when == Turn::When::speech && trigger.kind != Kind::speech) continue;
    if (turn.when == Turn::When::message && trigger.kind != Kind::message) continue;
    if (trigger.kind == Kind::message && trigger.text.find(turn.contains) == std::string::npos) continue;
    return take(i);
  }
  return nullptr;
}

base::Async<> Conversation::take_turn(Trigger trigger) {
  using Kind = Trigger::Kind;
  auto const id = next_id();
  if (trigger.kind == Kind::command) {
    auto done = co_await act(trigger.steps, id);
    if (done == Flow::go_on) say_to_client("agent_response_complete", complete_message(id));
    co_return;
  }
  auto const* turn = choose_turn(trigger);
  bool const caller_spoke = trigger.kind == Kind::speech || trigger.kind == Kind::message;
  std::string words = trigger.text;
  if (trigger.kind == Kind::speech) words = turn && !turn->heard.empty() ? turn->heard : spoken_words(trigger.spoken);
  if (caller_spoke) {
    ++record_.turns;
    write_transcript(TranscriptLine::Role::user, words, id.value, trigger.kind == Kind::speech ? "audio" : "text");
    if (ways_.transcript_order == "before") say_to_client("user_transcript", user_transcript_message(words, id));
  }
  co_await rest(Milliseconds{ways_.reply_delay_ms});
  bool const ended = co_await end_if("turn");
  if (ended) co_return;
  std::vector<Step> reply;
  if (turn)
    reply = turn->reply;
  else if (trigger.kind == Kind::silence)
    reply.emplace_back(agent_.still_there);
  else
    reply.emplace_back(agent_.otherwise);
  auto done = co_await act(reply, id);
  if (caller_spoke && ways_.transcript_order == "after")
    say_to_client("user_transcript", user_transcript_message(words, id));
  if (done == Flow::go_on) say_to_client("agent_response_complete", complete_message(id));
}

base::Async<Conversation::Flow> Conversation::act(std::vector<Step> const& steps, EventId id) {
  for (auto const& step : steps) {
    auto done = co_await act_step(step, id);
    if (done == Flow::stop || over_) co_return Flow::stop;
  }
  co_return Flow::go_on;
}

base::Async<Conversation::Flow> Conversation::act_step(Step const& step, EventId id) {
  auto flow = Flow::go_on;
  if (auto const* say = std::get_if<Say>(&step)) {
    flow = co_await speak(*say, id, true);
  } else if (auto const* tools = std::get_if<CallTools>(&step)) {
    flow = co_await call_tools(*tools, id);
  } else if (auto const* mcp = std::get_if<CallMcpTool>(&step)) {
    flow = co_await call_mcp(*mcp, id);
  } else if (auto const* pause = std::get_if<Pause>(&step)) {
    co_await rest(pause->length);
  } else if (auto const* end = std::get_if<EndCall>(&step)) {
    flow = co_await end_call(*end, id);
  } else if (auto const* close = std::get_if<CloseWith>(&step)) {
    co_await end_with(*close);
    flow = Flow::stop;
  } else if (auto const* raw = std::get_if<SendRaw>(&step)) {
    if (!over_ && !mute_) (void)socket_->send(raw->text);
  } else if (auto const* binary = std::get_if<SendBinary>(&step)) {
    if (!over_ && !mute_) (void)socket_->send_binary(std::string(binary->bytes, '\x01'));
  } else {
    drop();
    flow = Flow::stop;
  }
  co_return flow;
}

base::Async<Conversation::Flow> Conversation::speak(Say say, EventId id, bool interruptible) {
  if (over_) co_return Flow::stop;
  say.text = fill_in(std::move(say.text), initiation_.variables);
  auto const line = write_transcript(TranscriptLine::Role::agent, say.text, id.value, "audio");
  send_odd_messages(id);
  bool const response_first = ways_.response_order == "before" || initiation_.text_only;
  if (response_first) say_to_client("agent_response", agent_response_message(say.text, id));
  if (initiation_.text_only) co_return Flow::go_on;

  utterance_ = stage_.speech.render(say, id.value, record_.output);
  utterance_sent_ = 0;
  interruptible_ = interruptible;
  auto const generation = generation_;
  auto const& audio = *utterance_;
  auto const total = playing_time(audio.size());
  playback_.begin(id.value, say.text, total, line);
  if (ways_.empty_audio) say_to_client("audio", audio_message({}, id, "missing", {}, 0));
  auto const began = stage_.time.now();
  while (utterance_sent_ < audio.size()) {
    auto const bytes = next_chunk_bytes(audio.size() - utterance_sent_);
    ChunkPosition const position{say.text, to_ms(playing_time(utterance_sent_)), to_ms(playing_time(bytes)),
                                 to_ms(total)};
    send_audio(std::span{audio}.subspan(utterance_sent_, bytes), id, position, utterance_sent_ == 0);
    utterance_sent_ += bytes;
    auto const sent = playing_time(utterance_sent_);
    if (ways_.die_mid_sentence_ms > 0 && sent >= Milliseconds{ways_.die_mid_sentence_ms}) {
      drop();
      co_return Flow::stop;
    }
    bool const ended = co_await end_if("first_audio");
    if (ended) co_return Flow::stop;
    auto const next = began + std::chrono::duration_cast<Clock::duration>(sent / std::max(ways_.burst_factor, 0.01));
    while (!over_ && generation == generation_ && stage_.time.now() < next && utterance_sent_ < audio.size())
      co_await bell_.wait_until(stage_.time, next);
    if (over_ || generation != generation_) co_return Flow::stop;
  }
  if (!response_first) say_to_client("agent_response", agent_response_message(say.text, id));
  co_return Flow::go_on;
}

void Conversation::send_audio(std::span<std::uint8_t const> audio, EventId id, ChunkPosition const& position,
                              bool first) {
  if (over_ || mute_ || !sends("audio")) return;
  auto const now = stage_.time.now();
  auto const pad = first ? static_cast<std::size_t>(ways_.big_message_bytes) : 0;
  auto const message =
      ways_.garbage_audio ? garbage_audio_message(id) : audio_message(audio, id, ways_.alignment, position, pad);
  (void)socket_->send(message);
  playback_.sent(now, playing_time(audio.size()));
  if (record_.agent_messages == 0) note("first_agent_audio");
  ++record_.agent_messages;
  if (ways_.garbage_audio) return;
  record_.agent_bytes += audio.size();
  stage_.changed.ring();
  if (!stage_.keep_audio) return;
  record_.agent_chunks.push_back({now, record_.agent_audio.size(), audio.size(), id.value});
  record_.agent_audio.insert(record_.agent_audio.end(), audio.begin(), audio.end());
}

std::size_t Conversation::next_chunk_bytes(std::size_t left) {
  auto const shortest = std::max<std::int64_t>(1, ways_.chunk_ms_min);
  std::uniform_int_distribution<std::int64_t> length{shortest, std::max(shortest, ways_.chunk_ms_max)};
  auto const sample = media::bytes_per_sample(record_.output.codec);
  auto const samples = std::max<std::int64_t>(1, length(stage_.dice) * record_.output.rate / 1000);
  auto bytes = static_cast<std::size_t>(samples) * sample;
  if (ways_.odd_bytes && sample == 2) ++bytes;
  return std::min(bytes, left);
}

base::TimeSource::Clock::duration Conversation::playing_time(std::size_t bytes) const {
  return std::chrono::nanoseconds{static_cast<std::int64_t>(bytes) * 1'000'000'000 /
                                  static_cast<std::int64_t>(media::bytes_per_second(record_.output))};
}

void Conversation::interrupt() {
  auto const now = stage_.time.now();
  auto const id = playback_.event_id(now).value_or(last_id_);
  EventId const told{id + ways_.interruption_id_offset, ways_.event_id_as_text};
  ++generation_;
  record_.interruptions.push_back({now, told.value, record_.agent_audio.size()});
  note("interruption", std::to_string(told.value));
  say_to_client("interruption", interruption_message(told));
  if (ways_.interrupt_twice) tasks_.spawn(repeat_interruption(told));
  if (utterance_ && !utterance_->empty()) {
    auto const size = utterance_->size();
    auto const wanted = media::bytes_per_second(record_.output) * stale_chunk.count() / 1000;
    for (std::int64_t i = 0; i < ways_.stale_chunks; ++i) {
      auto const bytes = std::min(wanted, size);
      auto const from = std::min(utterance_sent_, size - bytes);
      send_audio(std::span{*utterance_}.subspan(from, bytes), {id, ways_.event_id_as_text}, {}, false);
      utterance_sent_ = std::min(size, from + bytes);
    }
  }
  for (auto const& cut : playback_.interrupt(now)) {
    auto& line = record_.transcript[cut.line];
    line.text = cut.heard;
    line.original = cut.original;
    if (!ways_.correction) continue;
    std::optional<EventId> corrected;
    if (ways_.correction_event_id) corrected = EventId{cut.event_id, ways_.event_id_as_text};
    say_to_client("agent_response_correction", correction_message(cut.original, cut.heard, corrected));
  }
  if (ways_.reuse_interrupted_id) reuse_id_ = id;
}

base::Async<> Conversation::repeat_interruption(EventId id) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await rest(Milliseconds{200});
  say_to_client("interruption", interruption_message(id));
}

base::Async<Conversation::Flow> Conversation::call_tools(CallTools const& tools, EventId id) {
  using State = ToolRecord::State;
  std::vector<std::size_t> open;
  auto const called = stage_.time.now();
  for (auto call : tools.calls) {
    call.parameters = filled_parameters(call.parameters, initiation_.variables);
    ToolRecord tool;
    tool.call_id = base::new_id("call");
    tool.name = call.name;
    tool.parameters = call.parameters;
    tool.event_id = id.value;
    tool.at = since_start();
    if (!call.expects_response.value_or(true)) tool.state = State::not_awaited;
    open.push_back(record_.tools.size());
    say_to_client("client_tool_call", tool_call_message(call, tool.call_id, id));
    record_.tools.push_back(std::move(tool));
    note("tool_call", call.name);
  }
  bool const ended = co_await end_if("tool");
  if (ended) co_return Flow::stop;
  for (std::size_t i = 0; i < open.size(); ++i) {
    auto const& call = tools.calls[i];
    auto& tool = record_.tools[open[i]];
    auto const limit = called + call.timeout;
    while (!over_ && tool.state == State::waiting && stage_.time.now() < limit)
      co_await bell_.wait_until(stage_.time, limit);
    if (over_) co_return Flow::stop;
    std::optional<Say> instead;
    if (tool.state == State::waiting) {
      tool.state = State::timed_out;
      find_fault(Severity::violation, "tool_timeout", call.name + " was not answered in time");
      instead = call.on_timeout ? *call.on_timeout : Say{"I am sorry, that did not work.", {}};
    } else if (tool.is_error) {
      instead = call.on_error;
    }
    keep_answer(call.name, tool.result, initiation_.variables);
    if (!instead) continue;
    auto spoken = co_await speak(*std::move(instead), id, true);
    if (spoken == Flow::go_on) say_to_client("agent_response_complete", complete_message(id));
    co_return Flow::stop;
  }
  co_return Flow::go_on;
}

base::Async<Conversation::Flow> Conversation::call_mcp(CallMcpTool const& call, EventId id) {
  (void)id;
  auto const call_id = base::new_id("mcp");
  auto const stamp = base::iso8601(stage_.time.wall());
  say_to_client("mcp_tool_call", mcp_call_message(call, call_id, "awaiting_approval", stamp));
  note("mcp_tool_call", call.name);
  auto const limit = stage_.time.now() + call.approval_timeout;
  while (!over_ && !mcp_approvals_.contains(call_id) && stage_.time.now() < limit)
    co_await bell_.wait_until(stage_.time, limit);
  bool const approved = mcp_approvals_.contains(call_id) && mcp_approvals_[call_id];
  say_to_client("mcp_tool_call", mcp_call_message(call, call_id, approved ? "success" : "failure", stamp));
  co_return over_ ? Flow::stop : Flow::go_on;
}

base::Async<Conversation::Flow> Conversation::end_call(EndCall const& end, EventId id) {
  if (ways_.end_call_after_playback) {
    auto const heard = playback_.until();
    while (!over_ && stage_.time.now() < heard) co_await bell_.wait_until(stage_.time, heard);
  }
  say_to_client("agent_tool_response", end_call_message(base::new_id("end_call"), id));
  co_await rest(Milliseconds{ways_.end_call_delay_ms});
  note("end_call", end.reason);
  CloseWith close{1000, {}, {}, "none"};
  co_await end_with(std::move(close));
  co_return Flow::stop;
}

void Conversation::send_odd_messages(EventId id) {
  if (over_ || mute_) return;
  if (ways_.broken_json) (void)socket_->send(R"({"type":"audio","audio_event":{"audio_base_64":"AAAA)");
  if (ways_.binary_frame) (void)socket_->send_binary(std::string(32, '\x7f'));
  if (!ways_.unknown_events) return;
  auto const number = std::to_string(id.value);
  (void)socket_->send(R"({"type":"holographic_projection","holographic_projection_event":{"event_id":)" + number +
                      "}}");
  (void)socket_->send(R"({"type":"vad_score","vad_score_event":{"vad_score":0.25},"extra":[1,{"deep":null}]})");
  (void)socket_->send(R"({"no_type_at_all":true})");
  (void)socket_->send(R"({"type":"error"})");
}

std::size_t Conversation::write_transcript(TranscriptLine::Role role, std::string text, std::int64_t id,
                                           std::string_view medium) {
  bool const agent = role == TranscriptLine::Role::agent;
  note(agent ? "agent_says" : "user_said", std::to_string(id), text);
  record_.transcript.push_back({role, std::move(text), {}, id, since_start(), std::string{medium}});
  return record_.transcript.size() - 1;
}

}  // namespace sim::elevenlabs
