#include "loadtest/load/figures_json.h"

#include <concepts>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>

namespace sim::load {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view format_name = "switchboard-load";
constexpr std::size_t most_bytes = 64U << 20U;
constexpr std::size_t most_runs = 1000;
constexpr std::size_t most_items = 100'000;

/// T or T const: one list of fields serves writing and reading.
template <class V, class T>
concept Of = std::same_as<std::remove_const_t<V>, T>;

template <class Each, Of<Machine> V>
void fields(Each& each, V& v) {
  each("cpu_model", v.cpu_model);
  each("cores", v.cores);
  each("kernel", v.kernel);
  each("date", v.date);
}

template <class Each, Of<RunSettings> V>
void fields(Each& each, V& v) {
  each("target", v.target);
  each("label", v.label);
  each("scenario", v.scenario);
  each("calls", v.calls);
  each("ramp_per_s", v.ramp_per_s);
  each("seconds", v.seconds);
  each("tls", v.tls);
  each("pcm", v.pcm);
  each("recording", v.recording);
  each("other", v.other);
}

template <class Each, Of<CallCounts> V>
void fields(Each& each, V& v) {
  each("asked", v.asked);
  each("answered", v.answered);
  each("refused", v.refused);
  each("failed", v.failed);
  each("finished", v.finished);
  each("most_at_once", v.most_at_once);
}

template <class Each, Of<FrameCounts> V>
void fields(Each& each, V& v) {
  each("sent", v.sent);
  each("received", v.received);
  each("lost", v.lost);
  each("late", v.late);
  each("swapped", v.swapped);
  each("duplicated", v.duplicated);
  each("crossed", v.crossed);
  each("damaged", v.damaged);
  each("late_after_ms", v.late_after_ms);
}

template <class Each, Of<HistogramBar> V>
void fields(Each& each, V& v) {
  each("up_to_ms", v.up_to_ms);
  each("count", v.count);
}

template <class Each, Of<Distribution> V>
void fields(Each& each, V& v) {
  each("count", v.count);
  each("p50_ms", v.p50_ms);
  each("p90_ms", v.p90_ms);
  each("p99_ms", v.p99_ms);
  each("p999_ms", v.p999_ms);
  each("max_ms", v.max_ms);
  each("mean_ms", v.mean_ms);
  each("histogram", v.histogram);
}

template <class Each, Of<Latency> V>
void fields(Each& each, V& v) {
  each("corrected", v.corrected);
  each("uncorrected", v.uncorrected);
}

template <class Each, Of<Direction> V>
void fields(Each& each, V& v) {
  each("frames", v.frames);
  each("latency", v.latency);
}

template <class Each, Of<Pacing> V>
void fields(Each& each, V& v) {
  each("error", v.error);
  each("underruns", v.underruns);
  each("lead_p50_ms", v.lead_p50_ms);
}

template <class Each, Of<Interruptions> V>
void fields(Each& each, V& v) {
  each("sent", v.sent);
  each("clears", v.clears);
  each("without_clear", v.without_clear);
  each("more_than_one_clear", v.more_than_one_clear);
  each("stale_frames", v.stale_frames);
  each("until_clear", v.until_clear);
}

template <class Each, Of<SetUp> V>
void fields(Each& each, V& v) {
  each("webhook_answered", v.webhook_answered);
  each("stream_accepted", v.stream_accepted);
  each("agent_joined", v.agent_joined);
  each("first_audio", v.first_audio);
  each("early_frames_lost", v.early_frames_lost);
  each("early_frames_sent", v.early_frames_sent);
}

template <class Each, Of<Cpu> V>
void fields(Each& each, V& v) {
  each("seconds", v.seconds);
  each("per_caller_frame_us", v.per_caller_frame_us);
  each("load", v.load);
}

template <class Each, Of<TargetUse> V>
void fields(Each& each, V& v) {
  each("process", v.process);
  each("media_threads", v.media_threads);
  each("rss_before_kib", v.rss_before_kib);
  each("rss_full_kib", v.rss_full_kib);
  each("rss_end_kib", v.rss_end_kib);
  each("per_call_kib", v.per_call_kib);
  each("descriptors_before", v.descriptors_before);
  each("descriptors_end", v.descriptors_end);
}

template <class Each, Of<Generator> V>
void fields(Each& each, V& v) {
  each("lateness", v.lateness);
  each("agent_lateness", v.agent_lateness);
  each("cpu", v.cpu);
  each("rss_kib", v.rss_kib);
  each("was_bottleneck", v.was_bottleneck);
  each("why", v.why);
}

template <class Each, Of<Moment> V>
void fields(Each& each, V& v) {
  each("at_s", v.at_s);
  each("calls", v.calls);
  each("cpu", v.cpu);
  each("rss_kib", v.rss_kib);
  each("to_agent_p99_ms", v.to_agent_p99_ms);
  each("to_caller_p99_ms", v.to_caller_p99_ms);
  each("generator_cpu", v.generator_cpu);
  each("lost", v.lost);
}

template <class Each, Of<Figures> V>
void fields(Each& each, V& v) {
  each("machine", v.machine);
  each("settings", v.settings);
  each("measured_s", v.measured_s);
  each("calls", v.calls);
  each("to_agent", v.to_agent);
  each("to_caller", v.to_caller);
  each("pacing", v.pacing);
  each("interruptions", v.interruptions);
  each("set_up", v.set_up);
  each("target", v.target);
  each("outcomes_written", v.outcomes_written);
  each("outcomes_wrong", v.outcomes_wrong);
  each("generator", v.generator);
  each("moments", v.moments);
  each("problems", v.problems);
}

template <class Each, Of<Report> V>
void fields(Each& each, V& v) {
  each("max_calls", v.max_calls);
  each("runs", v.runs);
}

template <class T>
concept Plain = std::is_arithmetic_v<T> || std::same_as<T, std::string>;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

template <class T>
Json write(T const& value);

struct Writer {
  Json out = Json::object();
  template <class T>
  void operator()(char const* name, T const& value) {
    out[name] = write(value);
  }
};

template <class T>
Json write(T const& value) {
  if constexpr (Plain<T>) {
    return value;
  } else if constexpr (is_optional<T>) {
    return value ? write(*value) : Json(nullptr);
  } else if constexpr (is_list<T>) {
    auto list = Json::array();
    for (auto const& item : value) list.push_back(write(item));
    return list;
  } else {
    Writer writer;
    fields(writer, value);
    return std::move(writer.out);
  }
}

/// Fills a value from JSON; the first thing that does not fit is kept in words and ends the reading.
class Reader {
 public:
  template <class T>
  void read(Json const& in, std::string const& path, T& out) {
    if (!wrong_.empty()) return;
    if constexpr (std::same_as<T, bool>) {
      if (!in.is_boolean()) return complain(path, "must be true or false");
      out = in.get<bool>();
    } else if constexpr (std::integral<T>) {
      read_integer(in, path, out);
    } else if constexpr (std::floating_point<T>) {
      if (!in.is_number()) return complain(path, "must be a number");
      out = in.get<T>();
    } else if constexpr (std::same_as<T, std::string>) {
      if (!in.is_string()) return complain(path, "must be a text");
      out = in.get<std::string>();
    } else if constexpr (is_optional<T>) {
      if (in.is_null()) return;
      read(in, path, out.emplace());
    } else if constexpr (is_list<T>) {
      read_list(in, path, out);
    } else {
      read_object(in, path, out);
    }
  }

  std::string const& wrong() const { return wrong_; }

 private:
  template <class T>
  void read_integer(Json const& in, std::string const& path, T& out) {
    if (!in.is_number_integer()) return complain(path, "must be a whole number");
    auto const value = in.get<std::int64_t>();
    bool const fits = value >= 0 && value <= std::numeric_limits<T>::max();
    // Above INT64_MAX the number would come back negative; nothing counted here ever is.
    if (!fits) return complain(path, "is out of range");
    out = static_cast<T>(value);
  }

  template <class T>
  void read_list(Json const& in, std::string const& path, T& out) {
    if (!in.is_array()) return complain(path, "must be a list");
    auto const most = std::same_as<typename T::value_type, Figures> ? most_runs : most_items;
    if (in.size() > most) return complain(path, "has more than " + std::to_string(most) + " items");
    out.resize(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) read(in[i], path + "[" + std::to_string(i) + "]", out[i]);
  }

  template <class T>
  void read_object(Json const& in, std::string const& path, T& out) {
    if (!in.is_object()) return complain(path, "must be an object");
    auto const each = [&](char const* name, auto& field) {
      auto const at = path.empty() ? std::string{name} : path + "." + name;
      auto const found = in.find(name);
      if (found == in.end()) return complain(at, "is missing");
      read(*found, at, field);
    };
    fields(each, out);
  }

  void complain(std::string const& path, std::string const& what) {
    if (wrong_.empty()) wrong_ = path + " " + what;
  }

  std::string wrong_;
};

}  // namespace

std::string to_json(Report const& report) {
  auto out = Json{{"format", format_name}, {"version", report_version}};
  out.update(write(report));
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

base::Result<Report> read_report(std::string_view json) {
  if (json.size() > most_bytes) return base::fail(base::Fault::protocol, "larger than 64 MiB");
  auto const in = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!in.is_object() || !in.contains("format") || in["format"] != format_name)
    return base::fail(base::Fault::protocol, "not a report of switchboard-sim load");
  if (!in.contains("version") || in["version"] != report_version)
    return base::fail(base::Fault::protocol,
                      "not version " + std::to_string(report_version) + " of the report; measure again");
  Report report;
  Reader reader;
  reader.read(in, "", report);
  if (!reader.wrong().empty()) return base::fail(base::Fault::protocol, reader.wrong());
  if (report.runs.empty()) return base::fail(base::Fault::protocol, "runs is empty");
  return report;
}

base::Result<Report> load_report(std::string const& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return base::fail(base::Fault::not_found, file + ": cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  auto report = read_report(text.view());
  if (!report) return base::fail(report.error().fault, file + ": " + report.error().detail);
  return report;
}

}  // namespace sim::load
