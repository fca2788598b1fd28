#include "gateway/base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <future>

#include "gateway/base/background.h"
#include "gateway/base/time_source.h"

namespace base {
namespace {

constexpr std::size_t queued_lines = 8192;

std::shared_ptr<spdlog::details::thread_pool> writer_thread() {
  static auto const pool = std::make_shared<spdlog::details::thread_pool>(queued_lines, 1, stand_behind_media);
  return pool;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string_view name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
    case LogLevel::off:
      return "off";
  }
  return "info";
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, LogLevel level) {
  auto logger = std::make_shared<spdlog::async_logger>("switchboard", std::move(sink), writer_thread(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(to_spdlog(level));
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::info);
  return logger;
}

/// JSON has no word for infinity or not-a-number.
void append_real(std::string& out, double value) {
  if (std::isfinite(value))
    fmt::format_to(std::back_inserter(out), "{:.6g}", value);
  else
    out += "null";
}

void append_field(std::string& out, Field const& field) {
  out += ',';
  append_json_string(out, field.key);
  out += ':';
  if (auto const* text = std::get_if<std::string_view>(&field.value))
    append_json_string(out, *text);
  else if (auto const* whole = std::get_if<std::int64_t>(&field.value))
    fmt::format_to(std::back_inserter(out), "{}", *whole);
  else if (auto const* real = std::get_if<double>(&field.value))
    append_real(out, *real);
  else
    out += std::get<bool>(field.value) ? "true" : "false";
}

/// Length of the well-formed UTF-8 sequence at the front, 0 when there is none (Unicode 15, table 3-7: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto const within = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  auto const first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    unsigned const low = first == 0xE0 ? 0xA0 : 0x80;
    unsigned const high = first == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    unsigned const low = first == 0xF0 ? 0x90 : 0x80;
    unsigned const high = first == 0xF4 ? 0x8F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

/// A line through the same queue: when it arrives, all earlier ones have been written.
class Arrival final : public spdlog::sinks::sink {
 public:
  void log(spdlog::details::log_msg const&) override {
    if (!arrived_.exchange(true)) told_.set_value();
  }
  void flush() override {}
  void set_pattern(std::string const&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
  bool wait_for(std::chrono::milliseconds limit) { return future_.wait_for(limit) == std::future_status::ready; }

 private:
  std::atomic<bool> arrived_ = false;
  std::promise<void> told_;
  std::future<void> future_ = told_.get_future();
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    auto const c = static_cast<unsigned char>(text.front());
    std::size_t step = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (auto const length = utf8_length(text); length > 0) {
      out.append(text.substr(0, length));
      step = length;
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
    text.remove_prefix(step);
  }
  out += '"';
}

Log Log::to_stderr(LogLevel level) {
  Log log;
  log.sink_ = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level);
  return log;
}

Log Log::to_file(std::string const& path, LogLevel level) {
  Log log;
  log.sink_ = make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path), level);
  return log;
}

Log Log::silent() {
  return Log{};
}

Log Log::with(Fields fields) const {
  Log copy = *this;
  for (auto const& field : fields) append_field(copy.bound_, field);
  return copy;
}

void Log::write(LogLevel level, std::string_view event, Fields fields) const {
  if (!sink_ || !sink_->should_log(to_spdlog(level))) return;
  std::string line =
      fmt::format(R"({{"time":"{}","level":"{}","event":)", iso8601(std::chrono::system_clock::now()), name(level));
  append_json_string(line, event);
  line += bound_;
  for (auto const& field : fields) append_field(line, field);
  line += '}';
  sink_->log(to_spdlog(level), "{}", line);
}

void Log::flush() const {
  if (!sink_) return;
  // The mark itself can be overrun while other threads log on: try again for as long as a shutdown can bear.
  for (int attempt = 0; attempt < 20; ++attempt) {
    sink_->flush();
    auto const mark = std::make_shared<Arrival>();
    auto const courier = std::make_shared<spdlog::async_logger>("flush", mark, writer_thread(),
                                                                spdlog::async_overflow_policy::overrun_oldest);
    courier->info("");
    if (mark->wait_for(std::chrono::milliseconds{250})) return;
  }
}

}  // namespace base
