#pragma once
#include <vector>

#include "gateway/base/bell.h"
#include "gateway/base/time_source.h"

namespace gateway {

/// The one timer of a core: beats every 20 ms for everybody who has joined, and rests when nobody has.
class Metronome {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_beat(base::Instant now) = 0;
  };

  Metronome(asio::any_io_executor executor, base::TimeSource& time) : time_{time}, joined_{executor} {}

  void join(Listener& listener);
  void leave(Listener& listener);  ///< Also from inside on_beat.
  /// Beats until cancelled. Missed beats are skipped, not caught up.
  base::Async<> run();

 private:
  base::TimeSource& time_;
  base::Bell joined_;
  std::vector<Listener*> listeners_;  // nullptr where one has left during a beat
};

}  // namespace gateway
