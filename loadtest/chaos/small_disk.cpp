#include "loadtest/chaos/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>

namespace sim::chaos {
namespace {

constexpr char const* options = "size=8m,mode=0700";

}  // namespace

std::unique_ptr<SmallDisk> SmallDisk::mount(std::filesystem::path const& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  // In a namespace of our own it goes with us, whatever becomes of us.
  bool const mounted = !error && ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
  return mounted ? std::unique_ptr<SmallDisk>{new SmallDisk{folder}} : nullptr;
}

SmallDisk::~SmallDisk() {
  ::umount2(folder_.c_str(), MNT_DETACH);
}

void SmallDisk::fill() {
  int const file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  std::array<char, 4096> block{};
  while (::write(file, block.data(), block.size()) > 0) {
  }
  ::close(file);
}

void SmallDisk::make_room() {
  ::unlink(filler().c_str());
}

}  // namespace sim::chaos
