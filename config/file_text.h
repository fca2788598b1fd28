#pragma once
#include <filesystem>

#include "gateway/base/result.h"
#include "gateway/base/secret.h"

namespace config {

struct FileText {
  base::Secret text;
  bool everyone_may_read = false;
  bool strangers_may_write = false;  ///< Group or others.
};

/// A whole regular file of at most 1 MiB; blocks, so for start-up only. Fault::not_found when there is none,
/// Fault::refused when it cannot be read or is no regular file, Fault::too_large. The details are for operators.
base::Result<FileText> read_file(std::filesystem::path const& file);

/// The secret in `file` without its last line ending. Fault::refused as well when every user may read the file or the
/// group may write it (group reading is allowed: service managers hand credentials over as 0440), or nothing is in it.
base::Result<base::Secret> read_secret_file(std::filesystem::path const& file);

}  // namespace config
