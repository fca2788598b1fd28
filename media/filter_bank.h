#pragma once
// Coefficients of one rate change, computed once and shared by every call that needs it.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace media {

/// A low-pass filter at half the lower of two rates (windowed sinc, Kaiser), cut into one short filter per position
/// that an output sample can have between two input samples.
class FilterBank {
 public:
  FilterBank(std::uint32_t from, std::uint32_t to);

  /// Banks between rates that agents speak are kept for the life of the process: at most a few tens of KB each.
  static std::shared_ptr<FilterBank const> shared(std::uint32_t from, std::uint32_t to);

  static constexpr int unity_bits = 14;  ///< A coefficient of 1.0 is 1 << 14.

  std::size_t phases() const { return phases_; }          ///< Positions of an output between two inputs.
  std::size_t whole_step() const { return whole_step_; }  ///< From one output to the next: so many inputs,
  std::size_t phase_step() const { return phase_step_; }  ///< and so many phases.
  std::size_t taps() const { return taps_; }              ///< Coefficients of each phase.
  std::size_t delay() const { return delay_; }            ///< Input samples between a sample and its image.

  /// `taps()` coefficients, the oldest sample's first; they sum up to exactly 1.0.
  std::int16_t const* coefficients(std::size_t phase) const { return coefficients_.data() + phase * taps_; }

  /// True when an output at phase 0 is simply the input sample `delay()` back.
  bool keeps_inputs() const { return keeps_inputs_; }

 private:
  std::size_t phases_, whole_step_, phase_step_, taps_, delay_;
  bool keeps_inputs_;
  std::vector<std::int16_t> coefficients_;
};

}  // namespace media
