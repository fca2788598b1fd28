#include "config/file_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace config {
namespace {

constexpr std::size_t most_bytes = 1 << 20;

class Descriptor {
 public:
  explicit Descriptor(std::filesystem::path const& file)
      : number_{open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)} {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

base::Result<std::string> read_all(int descriptor) {
  std::string text(most_bytes + 1, '\0');  // one size from the start: growing would leave copies of a secret behind
  std::size_t held = 0;
  while (held < text.size()) {
    auto const got = read(descriptor, text.data() + held, text.size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail(base::Fault::refused, "cannot be read");
    if (got == 0) break;
    held += static_cast<std::size_t>(got);
  }
  if (held > most_bytes) return base::fail(base::Fault::too_large, "is larger than 1 MiB");
  text.resize(held);
  return text;
}

}  // namespace

base::Result<FileText> read_file(std::filesystem::path const& file) {
  Descriptor const descriptor{file};
  if (descriptor.number() < 0) {
    bool const is_missing = errno == ENOENT || errno == ENOTDIR;
    if (is_missing) return base::fail(base::Fault::not_found, "does not exist");
    return base::fail(base::Fault::refused, "cannot be opened");
  }
  struct stat facts{};
  if (fstat(descriptor.number(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return base::fail(base::Fault::refused, "is not a regular file");
  auto text = read_all(descriptor.number());
  if (!text) return std::unexpected{text.error()};
  return FileText{.text = base::Secret{std::move(*text)},
                  .everyone_may_read = (facts.st_mode & S_IROTH) != 0,
                  .strangers_may_write = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0};
}

base::Result<base::Secret> read_secret_file(std::filesystem::path const& file) {
  auto const content = read_file(file);
  if (!content) return std::unexpected{content.error()};
  if (content->everyone_may_read) return base::fail(base::Fault::refused, "can be read by every user");
  if (content->strangers_may_write) return base::fail(base::Fault::refused, "can be written by other users");
  auto text = content->text.reveal();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return base::fail(base::Fault::refused, "is empty");
  return base::Secret{std::string{text}};
}

}  // namespace config
