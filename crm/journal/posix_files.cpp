#include "crm/journal/posix_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace crm::journal {
namespace {

using base::Fault;
using base::Result;

constexpr char const* lock_name = "lock";
// The kernel drops the lock of a process that was killed when the last of its threads is gone, a moment after its
// parent has seen it die.
constexpr auto lock_patience = std::chrono::seconds{2};

std::unexpected<base::Error> failed(char const* what, int error) {
  auto const fault = error == ENOENT ? Fault::not_found : Fault::unavailable;
  return base::fail(fault, fmt::format("journal: cannot {}: {}", what, std::strerror(error)));
}

/// So that a folder just made is still there after a loss of power, and the one it is in, which may be as new.
void sync_above(std::filesystem::path folder) {
  for (int level = 0; level < 2 && folder.has_parent_path(); ++level) {
    folder = folder.parent_path();
    int const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;  // not ours to look into: then it is older than we are
    (void)::fsync(fd);
    ::close(fd);
  }
}

class PosixFile final : public File {
 public:
  explicit PosixFile(int fd) : fd_{fd} {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(PosixFile const&) = delete;
  PosixFile& operator=(PosixFile const&) = delete;

  Result<> write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      auto const written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("write", errno);
      if (written == 0) return failed("write", ENOSPC);
      offset += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<> sync() override {
    // Not repeated when interrupted: a second call would not report what the first one lost.
    if (::fdatasync(fd_) != 0) return failed("sync", errno);
    return {};
  }

  Result<> allocate(std::uint64_t bytes) override {
    if (auto const error = ::posix_fallocate(fd_, 0, static_cast<off_t>(bytes)); error != 0)
      return failed("reserve space", error);
    return {};
  }

  Result<> truncate(std::uint64_t bytes) override {
    if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) return failed("cut a file", errno);
    return {};
  }

 private:
  int fd_;
};

}  // namespace

PosixFiles::PosixFiles(std::filesystem::path directory, Access access) : directory_{std::move(directory)} {
  auto const refuse = [&](char const* what, int error) {
    return std::runtime_error{fmt::format("cannot {} the journal folder {}: {}; see SWITCHBOARD_DATA_DIR", what,
                                          directory_.string(), std::strerror(error))};
  };
  if (access == Access::sole) {
    std::error_code error;
    directory_ = std::filesystem::absolute(directory_, error).lexically_normal();
    std::filesystem::create_directories(directory_.parent_path(), error);
    bool const made = ::mkdir(directory_.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) throw refuse("make", errno);
    if (made) sync_above(directory_);
  }
  directory_fd_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (directory_fd_ < 0) throw refuse("open", errno);
  if (access == Access::shared) return;
  try {
    // Transcripts and phone numbers are in there, whatever the mask was when somebody made it.
    if (::fchmod(directory_fd_, 0700) != 0) throw refuse("close to others", errno);
    lock();
  } catch (...) {
    ::close(directory_fd_);
    if (lock_fd_ >= 0) ::close(lock_fd_);
    throw;
  }
}

PosixFiles::~PosixFiles() {
  ::close(directory_fd_);
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

void PosixFiles::lock() {
  lock_fd_ = ::openat(directory_fd_, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_fd_ < 0) {
    throw std::runtime_error{fmt::format("cannot open the journal's lock in {}: {}; see SWITCHBOARD_DATA_DIR",
                                         directory_.string(), std::strerror(errno))};
  }
  auto const until = std::chrono::steady_clock::now() + lock_patience;
  while (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= until) {
      throw std::runtime_error{
          fmt::format("another Switchboard keeps its journal in {}; stop it or set another SWITCHBOARD_DATA_DIR",
                      directory_.string())};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{5});  // flock cannot wait with a limit
  }
}

Result<std::unique_ptr<File>> PosixFiles::open(std::string const& name) {
  int const fd = ::openat(directory_fd_, name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("open a file", errno);
  return std::make_unique<PosixFile>(fd);
}

Result<std::string> PosixFiles::read(std::string const& name, std::uint64_t offset, std::uint64_t most) {
  int const fd = ::openat(directory_fd_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return failed("open a file", errno);
  struct stat about{};
  int error = ::fstat(fd, &about) == 0 ? 0 : errno;
  std::string bytes;
  auto const size = static_cast<std::uint64_t>(about.st_size);
  if (error == 0 && offset < size) bytes.resize(std::min(most, size - offset));
  std::size_t have = 0;
  while (error == 0 && have < bytes.size()) {
    auto const got = ::pread(fd, bytes.data() + have, bytes.size() - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno != EINTR) error = errno;
    if (got == 0) bytes.resize(have);
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  ::close(fd);
  if (error != 0) return failed("read", error);
  return bytes;
}

Result<std::vector<std::string>> PosixFiles::list() {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry{directory_, error}, end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (entry->is_regular_file(gone) && !gone) names.push_back(entry->path().filename().string());
  }
  if (error) return failed("list the folder", error.value());
  return names;
}

Result<> PosixFiles::rename(std::string const& from, std::string const& to) {
  if (::renameat(directory_fd_, from.c_str(), directory_fd_, to.c_str()) != 0) return failed("rename a file", errno);
  return {};
}

Result<> PosixFiles::remove(std::string const& name) {
  if (::unlinkat(directory_fd_, name.c_str(), 0) != 0) return failed("remove a file", errno);
  return {};
}

Result<> PosixFiles::sync_directory() {
  if (::fsync(directory_fd_) != 0) return failed("sync the folder", errno);
  return {};
}

}  // namespace crm::journal
