#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

#include "gateway/base/ids.h"
#include "gateway/base/time_source.h"
#include "loadtest/load/gateway_child.h"
#include "loadtest/load/own_tls.h"
#include "loadtest/load/swarm.h"

namespace sim::load {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// Gone with its scope.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_{make_temporary_folder()} {}
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  fs::path const& path() const { return path_; }

 private:
  fs::path path_;
};

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> raw(bytes);
  base::fill_random(raw);
  return base::to_hex(raw);
}

/// Two sockets a call and some for set-up.
void allow_descriptors(std::size_t calls) {
  auto const wanted = static_cast<rlim_t>(calls * 5 + 200);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  auto raised = limit;
  raised.rlim_cur = std::min(wanted, limit.rlim_max);
  if (wanted > limit.rlim_max) raised.rlim_max = wanted;  // root may
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  raised.rlim_max = limit.rlim_max;
  if (limit.rlim_max < calls * 2 + 100 || ::setrlimit(RLIMIT_NOFILE, &raised) != 0)
    throw std::runtime_error{fmt::format("{} calls need {} open files; raise ulimit -n", calls, wanted)};
}

Machine this_machine() {
  return {cpu_model(), static_cast<int>(std::thread::hardware_concurrency()), kernel_release(),
          base::iso8601(std::chrono::system_clock::now())};
}

RunSettings settings_of(Options const& options, std::string const& target) {
  return {.target = target,
          .label = options.switchboard.empty() ? "" : "switchboard",
          .scenario = std::string{to_string(options.scenario)},
          .calls = static_cast<int>(options.calls),
          .ramp_per_s = options.ramp,
          .seconds = static_cast<double>(options.window.count()) / 1000,
          .tls = options.tls,
          .pcm = options.pcm,
          .recording = options.recording,
          .other = {}};
}

void tell(Progress const& progress, std::string_view stage) {
  if (progress) progress({.name = stage});
}

/// A figure of a run in which the generator was the bottleneck would be one of the generator.
void withhold(Figures& figures) {
  figures.to_agent.latency = {};
  figures.to_caller.latency = {};
  figures.interruptions.until_clear = {};
  figures.pacing.error = {};
}

}  // namespace

Figures run(Options const& options, Progress const& progress) {
  auto figures = measure(options, progress);
  if (figures.generator.was_bottleneck) withhold(figures);
  return figures;
}

Figures measure(Options const& options, Progress const& progress) {
  std::signal(SIGPIPE, SIG_IGN);
  allow_descriptors(options.calls);
  if (options.pin && !pin_to(0, *options.pin))
    throw std::runtime_error{fmt::format("there is no CPU {} to run on", *options.pin)};
  TemporaryFolder const folder;
  std::optional<OwnTls> tls;
  if (options.tls || options.target.starts_with("https")) tls.emplace(folder.path());

  Trial trial;
  trial.options = options;
  trial.client_tls = tls ? tls->client() : nullptr;
  trial.server_tls = options.tls ? tls->server() : nullptr;
  trial.account_sid = options.account_sid.empty() ? "AC" + random_hex(16) : options.account_sid;
  trial.auth_token = options.auth_token.empty() ? random_hex(16) : options.auth_token;
  Swarm swarm{trial};

  auto const own = (options.tls ? "https://" : "http://") + trial.own_authority;
  std::unique_ptr<GatewayChild> child;
  auto health_url = options.health_url;
  auto target = options.target;
  if (!options.switchboard.empty()) {
    tell(progress, "starting");
    Surroundings const around{.agents_url = own,
                              .carrier_url = own,
                              .account_sid = trial.account_sid,
                              .auth_token = trial.auth_token,
                              .certificate = tls ? tls->certificate_file() : fs::path{},
                              .key = tls ? tls->key_file() : fs::path{}};
    child = std::make_unique<GatewayChild>(options, around);
    target = child->public_url();
    health_url = child->health_url();
    if (!swarm.wait_for_numbers(health_url, milliseconds{10000}))
      throw std::runtime_error{"the gateway did not learn the number it shall answer"};
  }
  auto const url = net::parse_url(target);
  if (!url) throw std::runtime_error{"not the URL of a gateway: " + target};
  trial.public_url = target.ends_with('/') ? target.substr(0, target.size() - 1) : target;
  trial.gateway = Place::find(*url, trial.client_tls);

  Figures figures;
  figures.machine = this_machine();
  figures.settings = settings_of(options, target);
  auto const process = child ? child->pid() : static_cast<pid_t>(options.pid.value_or(-1));
  swarm.run(figures, progress, process);

  if (!health_url.empty()) {
    tell(progress, "waiting for records");
    auto const health = swarm.wait_for_records(health_url, milliseconds{30000});
    if (health.calls != 0 || health.records_waiting != 0)
      figures.problems.push_back(
          fmt::format("the gateway still has {} calls and {} unwritten records", health.calls, health.records_waiting));
  }
  if (auto const end = process > 0 ? use_of(process) : std::nullopt) {
    figures.target.rss_end_kib = end->rss_kib;
    figures.target.descriptors_end = descriptors_of(process);
  }
  if (child) {
    auto const records = child->records();
    figures.outcomes_written = records.all;
    figures.outcomes_wrong = records.unexpected;
  }
  return figures;
}

}  // namespace sim::load
