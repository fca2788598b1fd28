#include "media/format.h"

#include <algorithm>
#include <array>
#include <utility>

namespace media {
namespace {

// ElevenLabs AsyncAPI contract, metadata `agent_output_audio_format` and `user_input_audio_format`, 2025-11.
constexpr std::array<std::pair<std::string_view, AudioFormat>, 7> known{{
    {"ulaw_8000", telephone},
    {"pcm_8000", {Codec::pcm16, 8000}},
    {"pcm_16000", {Codec::pcm16, 16000}},
    {"pcm_22050", {Codec::pcm16, 22050}},
    {"pcm_24000", {Codec::pcm16, 24000}},
    {"pcm_44100", {Codec::pcm16, 44100}},
    {"pcm_48000", {Codec::pcm16, 48000}},
}};

constexpr std::size_t quoted_chars = 40;  // the name comes from outside and ends in a log line

std::string quoted(std::string_view name) {
  std::string text{name.substr(0, quoted_chars)};
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return "\"" + text + "\"";
}

}  // namespace

base::Result<AudioFormat> parse_format(std::string_view name) {
  auto const found = std::ranges::find(known, name, [](auto const& entry) { return entry.first; });
  if (found == known.end()) return base::fail(base::Fault::protocol, "unsupported audio format " + quoted(name));
  return found->second;
}

std::string to_string(AudioFormat format) {
  return (format.codec == Codec::mulaw ? "ulaw_" : "pcm_") + std::to_string(format.rate);
}

}  // namespace media
