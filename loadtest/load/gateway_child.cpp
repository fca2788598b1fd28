#include "loadtest/load/gateway_child.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "loadtest/load/process_use.h"

namespace sim::load {
namespace {

namespace fs = std::filesystem;

/// A port of 127.0.0.1 that was free a moment ago.
std::uint16_t free_port() {
  int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bool const found = socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (socket >= 0) ::close(socket);
  if (!found) throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

/// While it lives, what this thread starts begins on another CPU.
class Elsewhere {
 public:
  explicit Elsewhere(std::optional<int> cpu) {
    CPU_ZERO(&before_);
    if (!cpu || ::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    if (!pin_to(0, *cpu)) throw std::runtime_error{"there is no CPU " + std::to_string(*cpu) + " for the gateway"};
    has_moved_ = true;
  }
  ~Elsewhere() {
    if (has_moved_) (void)::sched_setaffinity(0, sizeof before_, &before_);
  }
  Elsewhere(Elsewhere const&) = delete;
  Elsewhere& operator=(Elsewhere const&) = delete;

 private:
  cpu_set_t before_{};
  bool has_moved_ = false;
};

/// The server leaves its own number in the first line of its file.
pid_t postmaster_of(fs::path const& data) {
  std::ifstream in{data / "postgres" / "cluster" / "postmaster.pid"};
  pid_t process = 0;
  in >> process;
  return in ? process : 0;
}

std::string first_line(std::string const& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

fs::path make_temporary_folder() {
  std::error_code none;
  auto const memory = fs::space("/dev/shm", none);
  bool const is_roomy = !none && memory.available > 2'000'000'000;
  std::string name = is_roomy ? "/dev/shm/switchboard-load-XXXXXX" : "/tmp/switchboard-load-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no place for a temporary folder"};
  ::chmod(name.c_str(), 0755);  // PostgreSQL may run as somebody else
  return name;
}

GatewayChild::GatewayChild(Options const& options, Surroundings const& surroundings)
    : folder_{options.data.empty() ? make_temporary_folder() : fs::absolute(options.data)},
      is_temporary_{options.data.empty()},
      program_{fs::absolute(options.switchboard).string()} {
  if (!fs::exists(program_)) throw std::runtime_error{"there is no program " + program_};
  fs::create_directories(folder_ / "data");
  auto const port = std::to_string(free_port());
  auto const ops_port = std::to_string(free_port());
  public_url_ = (options.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + port;
  health_url_ = "http://127.0.0.1:" + ops_port;
  environment_ = {{"PORT", port},
                  {"SWITCHBOARD_ADDRESS", "127.0.0.1"},
                  {"SWITCHBOARD_OPS_PORT", ops_port},
                  {"SWITCHBOARD_CORES", "1"},
                  {"SWITCHBOARD_DATA_DIR", (folder_ / "data").string()},
                  {"SWITCHBOARD_LOG_LEVEL", "warning"},
                  {"SWITCHBOARD_DRAIN_GRACE", "2s"},
                  {"SWITCHBOARD_MAX_CALLS", "100000"},
                  {"SWITCHBOARD_MAX_SOCKETS", "200000"},
                  {"DATABASE_URL", ""},
                  {"PUBLIC_BASE_URL", public_url_},
                  {"TWILIO_ACCOUNT_SID", surroundings.account_sid},
                  {"TWILIO_AUTH_TOKEN", surroundings.auth_token},
                  {"TWILIO_API_BASE_URL", surroundings.carrier_url},
                  {"ELEVENLABS_API_KEY", "sk_load"},
                  {"ELEVENLABS_API_BASE_URL", surroundings.agents_url}};
  if (options.tls) {
    environment_["SWITCHBOARD_TLS_CERT"] = surroundings.certificate.string();
    environment_["SWITCHBOARD_TLS_KEY"] = surroundings.key.string();
    environment_["SWITCHBOARD_EXTRA_CA"] = surroundings.certificate.string();
  }
  auto const log = folder_ / "gateway.log";
  {
    Elsewhere const elsewhere{options.pin_gateway};
    // In a folder without settings files of somebody else.
    child_ = std::make_unique<demo::Child>(
        std::vector<std::string>{"/usr/bin/env", "-C", folder_.string(), program_, "serve"}, environment_, log,
        /*read_output=*/true);
  }
  auto const ready = child_->read_line(std::chrono::seconds{90});
  if (!ready.starts_with("ready")) throw std::runtime_error{"the gateway did not start; see " + log.string()};
  if (auto const postmaster = postmaster_of(folder_ / "data"); options.pin && postmaster > 0) {
    (void)pin_to(postmaster, *options.pin);
    for (auto const process : descendants_of(postmaster)) (void)pin_to(process, *options.pin);
  }
  auto const tenant = first_line(
      command({"tenants", "add", "--name", "Load Test", "--timezone", "UTC", "--max-concurrent-calls", "100000"}));
  (void)command({"agents", "add", "--tenant", tenant, "--name", "Front desk", "--elevenlabs-agent-id", "agent_load",
                 "--number", options.number, options.recording ? "--record" : "--no-record"});
}

GatewayChild::~GatewayChild() {
  child_->stop(std::chrono::seconds{40});
  std::error_code ignored;
  if (is_temporary_) fs::remove_all(folder_, ignored);
}

std::string GatewayChild::command(std::vector<std::string> arguments) {
  std::vector<std::string> all{"/usr/bin/env", "-C", folder_.string(), program_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return demo::run(std::move(all), environment_, folder_ / "gateway.log");
}

GatewayChild::Records GatewayChild::records() {
  Records records;
  auto const list = nlohmann::json::parse(command({"calls", "list", "--json", "--limit", "10000"}), nullptr,
                                          /*allow_exceptions=*/false);
  if (!list.is_array()) return records;
  for (auto const& call : list) {
    ++records.all;
    if (!call.contains("ending") || call["ending"] != "caller_hung_up") ++records.unexpected;
  }
  return records;
}

}  // namespace sim::load
