#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/time_source.h"

namespace sim::elevenlabs {

/// What the platform believes the caller is hearing: audio plays in real time from the moment its first chunk was sent.
class Playback {
 public:
  using Duration = base::TimeSource::Clock::duration;

  /// What an interruption leaves of one text.
  struct Cut {
    std::size_t line;  ///< As given to begin().
    std::int64_t event_id;
    std::string original;
    std::string heard;  ///< Whole words up to the moment, with "..." behind; empty when none was heard.
  };

  /// An utterance of `total` audio follows. `line` is the caller's own name for it.
  void begin(std::int64_t event_id, std::string text, Duration total, std::size_t line);
  /// A chunk of it was sent.
  void sent(base::Instant now, Duration audio);
  bool playing(base::Instant now) const { return now < until_; }
  base::Instant until() const { return until_; }
  /// Id of the utterance that is heard now.
  std::optional<std::int64_t> event_id(base::Instant now) const;
  /// Stops. Names every utterance of which something was not heard, also what was never sent.
  std::vector<Cut> interrupt(base::Instant now);

 private:
  struct Part {
    std::int64_t event_id;
    std::string text;
    Duration total;
    std::size_t line;
    std::optional<base::Instant> start;
  };
  std::vector<Part> parts_;
  base::Instant until_{};
};

/// The words of `text` that fit into `share` (0 to 1) of it, with "..." behind; all of it for 1, nothing when no word
/// fits.
std::string heard_words(std::string const& text, double share);

}  // namespace sim::elevenlabs
