#include "crm/pg/cluster_home.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "crm/pg/start_failure.h"
#include "gateway/base/ids.h"

namespace crm::pg {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::string_view socket_name = "/.s.PGSQL.5432";

void must(bool done, char const* what, fs::path const& path) {
  if (!done) throw StartFailure{fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno))};
}

void make_folder(fs::path const& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw StartFailure{fmt::format("cannot make {}: {}", folder.string(), error.message())};
}

/// Makes the folder private to the server's user.
void hand_over(fs::path const& folder, ServerUser const& user) {
  if (user.differs) must(::chown(folder.c_str(), user.uid, user.gid) == 0, "hand over", folder);
  must(::chmod(folder.c_str(), 0700) == 0, "close to others", folder);
}

ClusterHome home_in(fs::path const& folder, ServerUser const& user) {
  return ClusterHome{folder, folder / "cluster", folder / "server.log", folder / "lock", user};
}

/// Files that root has copied belong to root, under whom no server runs: they are handed over first.
ServerUser owner_of_cluster(fs::path const& folder) {
  auto const owner = owner_of(folder / "cluster");
  if (owner.uid != 0 || ::geteuid() != 0) return owner;
  auto const user = choose_server_user();
  hand_over(folder, user);
  hand_over(folder / "cluster", user);
  for (auto const& entry : fs::recursive_directory_iterator{folder / "cluster"}) {
    must(::lchown(entry.path().c_str(), user.uid, user.gid) == 0, "hand over", entry.path());
  }
  return user;
}

std::string first_line(fs::path const& file) {
  std::ifstream in{file};
  std::string line;
  std::getline(in, line);
  return line;
}

/// Writes the note unless another process was faster; then theirs counts.
fs::path remember(fs::path const& note, fs::path const& place) {
  auto const draft = note.string() + "." + base::new_id("draft");
  {
    std::ofstream out{draft};
    out << place.string() << "\nThe server's user cannot reach this directory, so the private database lives there.\n";
    must(out.flush().good(), "write", draft);
  }
  bool const first = ::link(draft.c_str(), note.c_str()) == 0;
  bool const known = first || errno == EEXIST;
  ::unlink(draft.c_str());
  must(known, "write", note);
  return first_line(note);
}

std::string short_hash(std::string const& text) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return base::to_hex(std::span{digest}.first(8));
}

/// In a directory where anyone may create names, an existing one is used only if it is ours and closed.
void make_private_folder(fs::path const& folder, ServerUser const& user) {
  bool const made = ::mkdir(folder.c_str(), 0700) == 0;
  must(made || errno == EEXIST, "make", folder);
  if (made) {
    hand_over(folder, user);
    return;
  }
  struct stat about{};
  must(::lstat(folder.c_str(), &about) == 0, "look at", folder);
  bool const ours = S_ISDIR(about.st_mode) && about.st_uid == user.uid && (about.st_mode & 077) == 0;
  if (!ours) throw StartFailure{fmt::format("{} exists and does not belong to the database's user", folder.string())};
}

}  // namespace

ClusterHome settle(fs::path const& data_dir, fs::path const& shelter) {
  make_folder(data_dir);
  auto const folder = fs::canonical(data_dir);
  auto const cluster = folder / "cluster";
  if (fs::exists(cluster)) {
    auto const owner = owner_of_cluster(folder);
    if (::geteuid() == 0 || !owner.differs) return home_in(folder, owner);
    throw StartFailure{
        fmt::format("the private database in {} belongs to another user (uid {}): start as that user or "
                    "as root, or choose another SWITCHBOARD_DATA_DIR",
                    folder.string(), owner.uid)};
  }
  auto const user = choose_server_user();
  auto const note = folder / "moved-to";
  if (!fs::exists(note)) {
    if (!user.differs || can_search(user, folder.parent_path())) {
      hand_over(folder, user);
      if (can_use(user, folder)) return home_in(folder, user);
      throw StartFailure{fmt::format("{} is not writable for the database's user (uid {})", folder.string(), user.uid)};
    }
    // A name of its own, not one made from the path: a new clone at an old place must not find the old one's records.
    remember(note, shelter / base::new_id("db"));
  }
  fs::path const elsewhere = first_line(note);
  make_folder(elsewhere);
  auto const owner = fs::exists(elsewhere / "cluster") ? owner_of_cluster(elsewhere) : user;
  if (owner.differs && ::geteuid() != 0) {
    throw StartFailure{
        fmt::format("the private database in {} belongs to another user (uid {})", elsewhere.string(), owner.uid)};
  }
  hand_over(elsewhere, owner);
  if (!can_use(owner, elsewhere)) {
    throw StartFailure{
        fmt::format("the database's user (uid {}) can reach neither {} nor {}: choose a "
                    "SWITCHBOARD_DATA_DIR it can reach, or set DATABASE_URL",
                    owner.uid, folder.string(), elsewhere.string())};
  }
  return home_in(fs::canonical(elsewhere), owner);
}

fs::path socket_folder(ClusterHome const& home) {
  auto folder = home.folder / "socket";
  if (folder.string().size() + socket_name.size() > longest_socket_path) {
    auto const name = fmt::format("switchboard-{}-{}", home.user.uid, short_hash(home.folder.string()));
    folder = fs::path{::geteuid() == 0 && fs::is_directory("/run") ? "/run" : "/tmp"} / name;
  }
  make_private_folder(folder, home.user);
  return folder;
}

}  // namespace crm::pg
