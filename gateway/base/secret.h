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
  explicit Secret(std::string text) : text_{std::move(text)} {}
  Secret(Secret const&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(Secret const&) = default;
  Secret& operator=(Secret&&) = default;
  ~Secret() { explicit_bzero(text_.data(), text_.size()); }

  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend std::ostream& operator<<(std::ostream& out, Secret const&) { return out << "***"; }

 private:
  std::string text_;
};

}  // namespace base
