#pragma once
#include <filesystem>

#include "crm/journal/files.h"

namespace crm::journal {

/// A real directory, private to its owner (0700, files 0600). Blocks: for the journal's own thread and for commands.
class PosixFiles final : public Files {
 public:
  enum class Access {
    sole,   ///< Makes the directory when there is none, and locks it until destroyed.
    shared  ///< To look at what a running process may be writing.
  };

  /// Throws std::runtime_error, a sentence for the operator, when the directory cannot be had or another process holds
  /// it.
  PosixFiles(std::filesystem::path directory, Access access);
  ~PosixFiles() override;
  PosixFiles(PosixFiles const&) = delete;
  PosixFiles& operator=(PosixFiles const&) = delete;

  base::Result<std::unique_ptr<File>> open(std::string const& name) override;
  base::Result<std::string> read(std::string const& name, std::uint64_t offset, std::uint64_t most) override;
  base::Result<std::vector<std::string>> list() override;
  base::Result<> rename(std::string const& from, std::string const& to) override;
  base::Result<> remove(std::string const& name) override;
  base::Result<> sync_directory() override;

 private:
  void lock();

  std::filesystem::path directory_;
  int directory_fd_ = -1;
  int lock_fd_ = -1;
};

}  // namespace crm::journal
