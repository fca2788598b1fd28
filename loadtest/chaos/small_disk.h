#pragma once
#include <filesystem>
#include <memory>

namespace sim::chaos {

/// A file system of a few megabytes at one folder, seen by this program and its children only, that can be filled up.
class SmallDisk {
 public:
  /// Nothing where that is not permitted: it takes the right to mount. For the main thread, before there are others.
  static std::unique_ptr<SmallDisk> mount(std::filesystem::path const& folder);
  ~SmallDisk();
  SmallDisk(SmallDisk const&) = delete;
  SmallDisk& operator=(SmallDisk const&) = delete;

  /// Not a byte is left.
  void fill();
  void make_room();

 private:
  explicit SmallDisk(std::filesystem::path folder) : folder_{std::move(folder)} {}
  std::filesystem::path filler() const { return folder_ / "filler"; }

  std::filesystem::path folder_;
};

}  // namespace sim::chaos
