#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace crm::journal {

/// A file open for writing. What was written is certain to be there after a loss of power only when sync() has
/// succeeded since. Closed, unsynced, by the destructor.
class File {
 public:
  virtual ~File() = default;
  /// All of `bytes` or a fault, after which any part of them may be there.
  virtual base::Result<> write_at(std::uint64_t offset, std::string_view bytes) = 0;
  virtual base::Result<> sync() = 0;
  /// Takes disk space for this many bytes from the start; a longer file stays as it is.
  virtual base::Result<> allocate(std::uint64_t bytes) = 0;
  virtual base::Result<> truncate(std::uint64_t bytes) = 0;
};

/// The files of one flat directory. Names made, changed or removed are certain only after sync_directory().
class Files {
 public:
  virtual ~Files() = default;
  /// Makes the file when there is none.
  virtual base::Result<std::unique_ptr<File>> open(std::string const& name) = 0;
  /// At most `most` bytes from `offset`; fewer at the end of the file.
  virtual base::Result<std::string> read(std::string const& name, std::uint64_t offset, std::uint64_t most) = 0;
  virtual base::Result<std::vector<std::string>> list() = 0;
  /// Replaces what is called `to`.
  virtual base::Result<> rename(std::string const& from, std::string const& to) = 0;
  virtual base::Result<> remove(std::string const& name) = 0;
  virtual base::Result<> sync_directory() = 0;
};

}  // namespace crm::journal
