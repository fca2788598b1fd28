#pragma once
#include <cstddef>

namespace net {

/// How many descriptor numbers lie between the lowest free one, which the kernel gives next, and the process's limit. A
/// caller that opens nothing while fewer than N are left leaves the N highest numbers to others.
std::size_t descriptors_left();

/// Raises the process's soft limit toward `wanted`, as far as the hard limit lets it; returns the limit that now holds.
std::size_t raise_descriptor_limit(std::size_t wanted);

}  // namespace net
