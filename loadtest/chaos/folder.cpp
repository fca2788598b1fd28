#include "loadtest/chaos/folder.h"

#include <sys/stat.h>

#include <cstdlib>
#include <stdexcept>

namespace sim::chaos {

namespace fs = std::filesystem;

Folder::Folder(std::string const& wanted) : is_temporary_{wanted.empty()} {
  if (is_temporary_) {
    std::string name = (fs::temp_directory_path() / "switchboard-chaos-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no place for a temporary folder"};
    ::chmod(name.c_str(), 0755);
    path_ = name;
    return;
  }
  path_ = fs::absolute(wanted);
  fs::create_directories(path_);
  if (fs::exists(path_ / "data")) throw std::runtime_error{"there is a gateway's data in " + path_.string()};
}

Folder::~Folder() {
  std::error_code ignored;
  if (is_temporary_) fs::remove_all(path_, ignored);
}

}  // namespace sim::chaos
