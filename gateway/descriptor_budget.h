#pragma once
#include <cstddef>
#include <string>

namespace gateway {

/// How many of each may be at once.
struct Room {
  std::size_t calls = 0;
  std::size_t sockets = 0;   ///< On the public listener, calls' own not counted.
  std::size_t unproven = 0;  ///< Of connections that have proved nothing yet.
  bool operator==(Room const&) const = default;
};

/// Kept free by the public listener: for the database, agents and the carrier's REST when descriptors are short.
inline constexpr std::size_t descriptor_reserve = 64;

/// Descriptors that `room` needs at most, with all that a process of so many cores opens besides.
std::size_t descriptors_for(Room const& room, std::size_t cores);

/// What of `wish` so many descriptors are enough for. Calls come first, but leave an eighth to the webhooks that bring
/// them. Throws a sentence for the operator when it is not even one call.
Room fit_into(std::size_t descriptors, Room const& wish, std::size_t cores);

}  // namespace gateway
