#pragma once
#include <chrono>

namespace sim::chaos {

/// Somebody wants us to stop: thrown so that everything that was started ends on the way out.
struct Interrupted {};

/// SIGINT and SIGTERM are held back from its making on, in every thread that begins later, and are answered at wait().
class Quit {
 public:
  Quit();
  /// Throws Interrupted.
  void wait(std::chrono::milliseconds how_long) const;
};

}  // namespace sim::chaos
