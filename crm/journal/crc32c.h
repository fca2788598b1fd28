#pragma once
#include <cstdint>
#include <string_view>

namespace crm::journal {

/// CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`, or of what came before with `so_far` as its sum, and `bytes`. Takes
/// the processor's own instruction where there is one.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far = 0);

/// The same from a table, for processors without the instruction.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t so_far = 0);

}  // namespace crm::journal
