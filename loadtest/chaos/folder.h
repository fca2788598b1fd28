#pragma once
#include <filesystem>
#include <string>

namespace sim::chaos {

/// Where a run keeps the gateway's data and log. Every account may pass through: PostgreSQL may run as somebody else.
/// Gone with its scope when nobody has named it.
class Folder {
 public:
  /// Empty: a temporary one. Throws std::runtime_error when there is a gateway's data in it already.
  explicit Folder(std::string const& wanted);
  ~Folder();
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::filesystem::path const& path() const { return path_; }
  /// Stays, for whoever looks for the cause of what was found.
  void keep() { is_temporary_ = false; }

 private:
  bool is_temporary_;
  std::filesystem::path path_;
};

}  // namespace sim::chaos
