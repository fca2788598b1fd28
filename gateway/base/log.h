#pragma once
// Facts, not stories: an event name and fields, one JSON object a line. No phone number, transcript or secret in clear.
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace spdlog {
class logger;
}

namespace base {

struct Field {
  using Value = std::variant<std::string_view, std::int64_t, double, bool>;
  std::string_view key;
  Value value;

  Field(std::string_view k, std::string_view v) : key{k}, value{v} {}
  Field(std::string_view k, char const* v) : key{k}, value{std::string_view{v}} {}
  Field(std::string_view k, std::string const& v) : key{k}, value{std::string_view{v}} {}
  Field(std::string_view k, bool v) : key{k}, value{v} {}
  template <class N>
    requires(std::is_arithmetic_v<N> && !std::is_same_v<N, bool>)
  Field(std::string_view k, N v) : key{k} {
    if constexpr (std::is_floating_point_v<N>)
      value = static_cast<double>(v);
    else
      value = static_cast<std::int64_t>(v);
  }
};

enum class LogLevel { debug, info, warning, error, off };

/// Cheap to copy; a copy made by with() carries its ids into every line. Thread safe. Lines go through a bounded queue
/// to a writer thread; when the queue is full the oldest line is dropped, never the media thread delayed.
class Log {
 public:
  using Fields = std::initializer_list<Field>;

  /// Writes JSON lines to standard error.
  static Log to_stderr(LogLevel level);
  /// Swallows everything; for tests.
  static Log silent();
  /// Writes JSON lines to a file; for tests that scan for leaked secrets.
  static Log to_file(std::string const& path, LogLevel level);

  Log with(Fields fields) const;
  void debug(std::string_view event, Fields fields = {}) const { write(LogLevel::debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) const { write(LogLevel::info, event, fields); }
  void warning(std::string_view event, Fields fields = {}) const { write(LogLevel::warning, event, fields); }
  void error(std::string_view event, Fields fields = {}) const { write(LogLevel::error, event, fields); }
  /// Blocks until queued lines are written, five seconds at most; for shutdown.
  void flush() const;

 private:
  void write(LogLevel level, std::string_view event, Fields fields) const;
  std::shared_ptr<spdlog::logger> sink_;
  std::string bound_;  // already encoded: ,"call":"call_…"
};

/// Appends `text` as a JSON string, quotes included; bytes that are not UTF-8 are escaped.
void append_json_string(std::string& out, std::string_view text);

}  // namespace base
