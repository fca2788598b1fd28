#include "gateway/base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "gateway/base/time_source.h"

namespace base {
namespace {

constexpr std::size_t queued_lines = 8192;

std::shared_ptr<spdlog::details::thread_pool> writer_thread() {
  static auto const pool = std::make_shared<spdlog::details::thread_pool>(queued_lines, 1);
  return pool;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string_view name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
    case LogLevel::off: return "off";
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

void append_field(std::string& out, Field const& field) {
  out += ',';
  append_json_string(out, field.key);
  out += ':';
  if (auto const* text = std::get_if<std::string_view>(&field.value)) append_json_string(out, *text);
  else if (auto const* whole = std::get_if<std::int64_t>(&field.value)) fmt::format_to(std::back_inserter(out), "{}", *whole);
  else if (auto const* real = std::get_if<double>(&field.value)) fmt::format_to(std::back_inserter(out), "{:.6g}", *real);
  else out += std::get<bool>(field.value) ? "true" : "false";
}

std::size_t utf8_length(std::string_view text) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto const tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF && tail(1)) return 2;
  if (byte(0) >= 0xE0 && byte(0) <= 0xEF && tail(1) && tail(2)) return 3;
  if (byte(0) >= 0xF0 && byte(0) <= 0xF4 && tail(1) && tail(2) && tail(3)) return 4;
  return 0;
}

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

Log Log::silent() { return Log{}; }

Log Log::with(Fields fields) const {
  Log copy = *this;
  for (auto const& field : fields) append_field(copy.bound_, field);
  return copy;
}

void Log::write(LogLevel level, std::string_view event, Fields fields) const {
  if (!sink_ || !sink_->should_log(to_spdlog(level))) return;
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":)", iso8601(std::chrono::system_clock::now()), name(level));
  append_json_string(line, event);
  line += bound_;
  for (auto const& field : fields) append_field(line, field);
  line += '}';
  sink_->log(to_spdlog(level), "{}", line);
}

void Log::flush() const {
  if (sink_) sink_->flush();
}

}  // namespace base
