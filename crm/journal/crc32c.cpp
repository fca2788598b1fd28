#include "crm/journal/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace crm::journal {
namespace {

constexpr std::uint32_t reversed_polynomial = 0x82F63B78;  // RFC 3720: 0x1EDC6F41, least significant bit first

constexpr auto table = [] {
  std::array<std::uint32_t, 256> sums{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    auto sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum & 1U) != 0 ? (sum >> 1U) ^ reversed_polynomial : sum >> 1U;
    sums[byte] = sum;
  }
  return sums;
}();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes, std::uint32_t so_far) {
  std::uint64_t sum = ~so_far;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes.data(), 8);
    sum = _mm_crc32_u64(sum, eight);
  }
  auto rest = static_cast<std::uint32_t>(sum);
  for (char const byte : bytes) rest = _mm_crc32_u8(rest, static_cast<std::uint8_t>(byte));
  return ~rest;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t so_far) {
  auto sum = ~so_far;
  for (char const byte : bytes) sum = (sum >> 8U) ^ table[(sum ^ static_cast<std::uint8_t>(byte)) & 0xFFU];
  return ~sum;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far) {
#if defined(__x86_64__)
  static bool const has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return crc32c_by_instruction(bytes, so_far);
#endif
  return crc32c_by_table(bytes, so_far);
}

}  // namespace crm::journal
