#include "loadtest/sim/elevenlabs/behaviour.h"

#include <array>
#include <charconv>
#include <variant>

namespace sim::elevenlabs {
namespace {

using Member =
    std::variant<bool Behaviour::*, std::int64_t Behaviour::*, double Behaviour::*, std::string Behaviour::*>;

struct Entry {
  BehaviourOption option;
  Member member;
};

constexpr auto entries = std::to_array<Entry>({
    {{"accept_delay_ms", ""}, &Behaviour::accept_delay_ms},
    {{"refuse_upgrade", ""}, &Behaviour::refuse_upgrade},
    {{"reject_with", ""}, &Behaviour::reject_with},
    {{"metadata", "at_once,after_client_data,never"}, &Behaviour::metadata},
    {{"metadata_delay_ms", ""}, &Behaviour::metadata_delay_ms},
    {{"metadata_output_format", ""}, &Behaviour::metadata_output_format},
    {{"metadata_input_format", ""}, &Behaviour::metadata_input_format},
    {{"strict", ""}, &Behaviour::strict},
    {{"reject_delay_ms", ""}, &Behaviour::reject_delay_ms},
    {{"queue_ms", ""}, &Behaviour::queue_ms},
    {{"queue_outcome", "admitted,timed_out"}, &Behaviour::queue_outcome},
    {{"turn_silence_ms", ""}, &Behaviour::turn_silence_ms},
    {{"reply_delay_ms", ""}, &Behaviour::reply_delay_ms},
    {{"turn_timeout_ms", ""}, &Behaviour::turn_timeout_ms},
    {{"silence_end_call_ms", ""}, &Behaviour::silence_end_call_ms},
    {{"transcript_order", "before,after"}, &Behaviour::transcript_order},
    {{"response_order", "before,after"}, &Behaviour::response_order},
    {{"event_id_first", ""}, &Behaviour::event_id_first},
    {{"event_id_step", ""}, &Behaviour::event_id_step},
    {{"event_id_as_text", ""}, &Behaviour::event_id_as_text},
    {{"burst_factor", ""}, &Behaviour::burst_factor},
    {{"chunk_ms_min", ""}, &Behaviour::chunk_ms_min},
    {{"chunk_ms_max", ""}, &Behaviour::chunk_ms_max},
    {{"big_message_bytes", ""}, &Behaviour::big_message_bytes},
    {{"odd_bytes", ""}, &Behaviour::odd_bytes},
    {{"empty_audio", ""}, &Behaviour::empty_audio},
    {{"alignment", "given,missing,empty,partial"}, &Behaviour::alignment},
    {{"first_message_interruptible", ""}, &Behaviour::first_message_interruptible},
    {{"interrupt_after_ms", ""}, &Behaviour::interrupt_after_ms},
    {{"stale_chunks", ""}, &Behaviour::stale_chunks},
    {{"correction", ""}, &Behaviour::correction},
    {{"correction_event_id", ""}, &Behaviour::correction_event_id},
    {{"reuse_interrupted_id", ""}, &Behaviour::reuse_interrupted_id},
    {{"interrupt_twice", ""}, &Behaviour::interrupt_twice},
    {{"interruption_id_offset", ""}, &Behaviour::interruption_id_offset},
    {{"ping_interval_ms", ""}, &Behaviour::ping_interval_ms},
    {{"pong_limit_ms", ""}, &Behaviour::pong_limit_ms},
    {{"pong_required_ms", ""}, &Behaviour::pong_required_ms},
    {{"receive_timeout_ms", ""}, &Behaviour::receive_timeout_ms},
    {{"max_duration_ms", ""}, &Behaviour::max_duration_ms},
    {{"end_call_after_playback", ""}, &Behaviour::end_call_after_playback},
    {{"end_call_delay_ms", ""}, &Behaviour::end_call_delay_ms},
    {{"die_mid_sentence_ms", ""}, &Behaviour::die_mid_sentence_ms},
    {{"drop_after_ms", ""}, &Behaviour::drop_after_ms},
    {{"drop_at_start", ""}, &Behaviour::drop_at_start},
    {{"silent", ""}, &Behaviour::silent},
    {{"garbage_audio", ""}, &Behaviour::garbage_audio},
    {{"broken_json", ""}, &Behaviour::broken_json},
    {{"binary_frame", ""}, &Behaviour::binary_frame},
    {{"unknown_events", ""}, &Behaviour::unknown_events},
    {{"close_code", ""}, &Behaviour::close_code},
    {{"close_when", "start,metadata,first_audio,turn,tool"}, &Behaviour::close_when},
    {{"close_reason", ""}, &Behaviour::close_reason},
    {{"close_error_type", ""}, &Behaviour::close_error_type},
    {{"close_shape", "contract,client_error,flat,bare,none"}, &Behaviour::close_shape},
});

bool lists(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    auto const comma = words.find(',');
    if (words.substr(0, comma) == word) return true;
    words = comma == std::string_view::npos ? std::string_view{} : words.substr(comma + 1);
  }
  return false;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

struct Assign {
  Behaviour& behaviour;
  BehaviourOption const& option;
  std::string_view value;

  bool operator()(bool Behaviour::* field) const {
    bool const on = value.empty() || value == "true" || value == "1";
    if (!on && value != "false" && value != "0") return false;
    behaviour.*field = on;
    return true;
  }
  bool operator()(std::int64_t Behaviour::* field) const { return read_number(value, behaviour.*field); }
  bool operator()(double Behaviour::* field) const { return read_number(value, behaviour.*field); }
  bool operator()(std::string Behaviour::* field) const {
    if (!option.words.empty() && !lists(option.words, value)) return false;
    behaviour.*field = value;
    return true;
  }
};

}  // namespace

std::span<BehaviourOption const> behaviour_options() {
  static auto const options = [] {
    std::array<BehaviourOption, entries.size()> list;
    for (std::size_t i = 0; i < entries.size(); ++i) list[i] = entries[i].option;
    return list;
  }();
  return options;
}

base::Result<> set_behaviour(Behaviour& behaviour, std::string_view name, std::string_view value) {
  for (auto const& [option, member] : entries) {
    if (option.name != name) continue;
    if (std::visit(Assign{behaviour, option, value}, member)) return {};
    std::string detail = "behaviour " + std::string{name} + " does not take '" + std::string{value} + "'";
    if (!option.words.empty()) detail += "; it takes " + std::string{option.words};
    return base::fail(base::Fault::protocol, std::move(detail));
  }
  return base::fail(base::Fault::not_found, "there is no behaviour '" + std::string{name} + "'");
}

}  // namespace sim::elevenlabs
