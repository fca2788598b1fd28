#pragma once
#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace base {

/// Text that must not reach a log, an error or a page: it has no way to be printed but reveal(), and wipes itself.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_{std::move(text)} { wipe(text); }
  Secret(Secret const&) = default;
  Secret(Secret&& other) noexcept : text_{std::move(other.text_)} { wipe(other.text_); }
  Secret& operator=(Secret const& other) {
    if (this == &other) return *this;
    wipe(text_);
    text_ = other.text_;
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe(text_);
    text_ = std::move(other.text_);
    wipe(other.text_);
    return *this;
  }
  ~Secret() { wipe(text_); }

  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend std::ostream& operator<<(std::ostream& out, Secret const&) { return out << "***"; }

 private:
  /// Also the bytes beyond size(): a short string that was moved from still holds its characters.
  static void wipe(std::string& text) {
    text.resize(text.capacity());  // NOLINT(clang-analyzer-cplusplus.Move): what a move has left is what we are after
    explicit_bzero(text.data(), text.size());
    text.clear();
  }

  std::string text_;
};

}  // namespace base
