#include "loadtest/sim/elevenlabs/record.h"

#include <algorithm>

#include "loadtest/sim/elevenlabs/speech.h"

namespace sim::elevenlabs {

std::vector<std::int16_t> ConversationRecord::caller_pcm() const {
  return to_samples(caller_audio, input.codec);
}

std::vector<std::uint8_t> ConversationRecord::agent_audio_of(std::int64_t event_id) const {
  std::vector<std::uint8_t> audio;
  for (auto const& chunk : agent_chunks) {
    if (chunk.event_id != event_id || chunk.offset + chunk.bytes > agent_audio.size()) continue;
    auto const from = agent_audio.begin() + static_cast<std::ptrdiff_t>(chunk.offset);
    audio.insert(audio.end(), from, from + static_cast<std::ptrdiff_t>(chunk.bytes));
  }
  return audio;
}

std::size_t ConversationRecord::violations() const {
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(),
                                                [](Finding const& f) { return f.severity == Severity::violation; }));
}

std::size_t ConversationRecord::count(std::string_view finding_kind) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(), [&](Finding const& f) { return f.kind == finding_kind; }));
}

std::string ConversationRecord::explain() const {
  std::string out;
  for (auto const& finding : findings) {
    out += std::to_string(finding.at.count()) + " ms ";
    out += finding.severity == Severity::violation ? "VIOLATION " : "warning ";
    out += finding.kind + ": " + finding.detail + " <- " + finding.frame + "\n";
  }
  return out;
}

}  // namespace sim::elevenlabs
