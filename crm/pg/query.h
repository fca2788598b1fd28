#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/time_source.h"

namespace crm::pg {

/// A statement and the name under which errors speak of it. Both are literals: a Query is a constant beside its row
/// mapper.
struct Query {
  char const* name;
  char const* text;
};

/// One value for $1, $2 …, as text; nothing is SQL null. The server converts it to the type the statement asks for.
class Param {
 public:
  Param(std::nullopt_t) {}
  Param(std::string text) : text_{std::move(text)} {}
  Param(std::string_view text) : text_{std::string{text}} {}
  Param(char const* text) : text_{std::string{text}} {}
  Param(bool value) : text_{value ? "true" : "false"} {}
  template <std::integral N>
    requires(!std::same_as<N, bool>)
  Param(N value) : text_{std::to_string(value)} {}
  Param(base::TimeSource::Wall when) : text_{base::iso8601(when)} {}
  template <class Tag>
  Param(base::Id<Tag> const& id) : text_{id.text()} {}
  template <class T>
  Param(std::optional<T> const& value) {
    if (value) text_ = Param{*value}.text_;
  }

  std::optional<std::string> const& text() const { return text_; }

 private:
  std::optional<std::string> text_;
};

using Params = std::vector<Param>;

}  // namespace crm::pg
