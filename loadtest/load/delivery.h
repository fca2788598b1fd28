#pragma once
#include <cstdint>

namespace sim::load {

/// What became of numbered frames, of all calls and one direction together.
struct Tally {
  std::int64_t sent = 0;  ///< In the end only those that had to arrive.
  std::int64_t received = 0;
  std::int64_t lost = 0;
  std::int64_t late = 0;
  std::int64_t swapped = 0;
  std::int64_t duplicated = 0;
  std::int64_t crossed = 0;
  std::int64_t damaged = 0;
};

/// Follows the numbers of one direction of one call and books them in a tally.
class Delivery {
 public:
  explicit Delivery(Tally& tally) : tally_{&tally} {}

  /// A frame of this call has arrived.
  enum class Kind { next, swapped, duplicated };
  Kind take(std::uint32_t frame);
  /// Frames below this one are not missed: they were thrown away on purpose.
  void forgive_before(std::uint32_t frame);
  /// No more will come. Frames from `excused` on may be missing: they were on their way when the call ended.
  void finish(std::uint32_t sent, std::uint32_t excused);

  std::uint32_t next() const { return next_; }

 private:
  Tally* tally_;
  std::uint32_t next_ = 0;
  std::uint64_t missing_ = 0;  // bit i: frame next_ - 1 - i was jumped over and has not come
};

}  // namespace sim::load
