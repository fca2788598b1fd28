#include "loadtest/sim/twilio/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sim::twilio {
namespace {

using Json = nlohmann::json;

std::string ms(Json const& value) {
  return value.is_number() ? fmt::format("{:.1f} ms", value.get<double>()) : "none";
}

std::string of_stream(Json const& stream) {
  std::string out;
  auto const line = [&out](std::string_view name, std::string const& value) {
    out += fmt::format("  {:<28}{}\n", name, value);
  };
  auto const count = [&](char const* name) { return stream.value(name, std::uint64_t{0}); };
  line("stream set-up", ms(stream["connect_ms"]));
  line("start to first audio", ms(stream["first_audio_ms"]));
  if (stream["barge_in_to_clear_ms"].is_number()) line("barge-in to clear", ms(stream["barge_in_to_clear_ms"]));
  auto const& clears = stream["clear_to_silence_ms"];
  if (!clears.empty()) line("clear to silence, longest", ms(*std::max_element(clears.begin(), clears.end())));
  line("frames sent / lost", fmt::format("{} / {}", count("frames_sent"), count("frames_lost")));
  line("media received", fmt::format("{} messages of {} to {} bytes, {:.1f} s of audio", count("media_messages"),
                                     count("smallest_media_bytes"), count("largest_media_bytes"),
                                     static_cast<double>(count("media_bytes")) / 8000));
  line("marks / clears / holes", fmt::format("{} / {} / {}", count("marks"), count("clears"), count("underruns")));
  line("most audio queued", fmt::format("{:.0f} ms", static_cast<double>(count("most_queued_bytes")) / 8));
  auto const& arrival = stream["arrival_lateness"];
  auto const& sending = stream["send_lateness"];
  line("arrival lateness p99 / max", fmt::format("{} / {}", ms(arrival["p99_ms"]), ms(arrival["max_ms"])));
  line("own lateness p99 / max", fmt::format("{} / {}", ms(sending["p99_ms"]), ms(sending["max_ms"])));
  line("stream ended", stream["end"].get<std::string>());
  return out;
}

}  // namespace

std::string summary_of(std::string const& result_json) {
  auto const result = Json::parse(result_json, nullptr, false);
  if (!result.is_object()) return "no result\n";
  auto out =
      fmt::format("call {}: {}, hung up {}, lasted {:.1f} s\n  {:<28}{}\n", result["call_sid"].get<std::string>(),
                  result["status"].get<std::string>(), result["ending"].get<std::string>(),
                  result["lasted_ms"].get<double>() / 1000, "webhook answer", ms(result["webhook_ms"]));
  for (auto const& stream : result["streams"]) out += of_stream(stream);
  for (auto const& violation : result["violations"])
    out += fmt::format("  VIOLATION {} {}\n", violation["code"].get<int>(), violation["what"].get<std::string>());
  return out;
}

bool is_clean(std::string const& result_json) {
  auto const result = Json::parse(result_json, nullptr, false);
  return result.is_object() && result.value("clean", false);
}

}  // namespace sim::twilio
