#include "loadtest/chaos/gateway.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <stdexcept>

#include "gateway/base/ids.h"
#include "loadtest/load/process_use.h"

namespace sim::chaos {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int first_port = 20'000;
constexpr int ports = 12'000;

bool is_free(std::uint16_t port) {
  int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool const bound = socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (socket >= 0) ::close(socket);
  return bound;
}

/// Outside the range from which the kernel serves connections: a gateway that is away must find its port again.
std::uint16_t free_port() {
  for (int tries = 0; tries < 200; ++tries) {
    std::array<std::uint8_t, 2> raw{};
    base::fill_random(raw);
    auto const port = static_cast<std::uint16_t>(first_port + (raw[0] * 256 + raw[1]) % ports);
    if (is_free(port)) return port;
  }
  throw std::runtime_error{"no free port"};
}

/// The newest server's own; what lies in /usr/bin may be a script that looks for it first.
std::string find_psql() {
  std::error_code none;
  fs::path best;
  int newest = 0;
  for (auto const& entry : fs::directory_iterator{"/usr/lib/postgresql", none}) {
    auto const program = entry.path() / "bin" / "psql";
    auto const version = std::atoi(entry.path().filename().c_str());
    if (version > newest && fs::exists(program)) best = program, newest = version;
  }
  if (best.empty() && fs::exists("/usr/bin/psql")) best = "/usr/bin/psql";
  if (best.empty()) throw std::runtime_error{"there is no psql to look into the gateway's database with"};
  return best.string();
}

/// A process that has ended and that its parent has not asked about yet is gone for us.
bool lives(pid_t process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/stat"};
  std::string stat;
  std::getline(in, stat);
  auto const name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z';
}

void wait_until_gone(pid_t process, milliseconds patience) {
  for (auto left = patience; left.count() > 0 && lives(process); left -= milliseconds{10}) ::poll(nullptr, 0, 10);
}

}  // namespace

Gateway::Gateway(Settings settings)
    : program_{fs::absolute(settings.program).string()},
      folder_{std::move(settings.folder)},
      environment_{std::move(settings.environment)},
      psql_{find_psql()} {
  if (!fs::exists(program_)) throw std::runtime_error{"there is no program " + program_};
  fs::create_directories(data());
  auto const port = std::to_string(free_port());
  auto const ops_port = std::to_string(free_port());
  public_url_ = "http://127.0.0.1:" + port;
  health_url_ = "http://127.0.0.1:" + ops_port + "/healthz";
  environment_.insert({{"PORT", port},
                       {"SWITCHBOARD_ADDRESS", "127.0.0.1"},
                       {"SWITCHBOARD_OPS_PORT", ops_port},
                       {"SWITCHBOARD_CORES", "1"},
                       {"SWITCHBOARD_DATA_DIR", data().string()},
                       {"SWITCHBOARD_LOG_LEVEL", "warning"},
                       {"SWITCHBOARD_DRAIN_GRACE", "2s"},
                       // The simulators share the machine: how late its loops are says nothing of the gateway.
                       {"SWITCHBOARD_MAX_LAG", "10s"},
                       {"SWITCHBOARD_JOURNAL_RESERVE_MIB", "1"},
                       {"DATABASE_URL", ""},
                       {"PUBLIC_BASE_URL", public_url_}});
  if (!settings.can_lose_database) return;
  // The gateway finds PostgreSQL's programs through links of ours: what is not linked cannot be started.
  fs::create_directories(binaries());
  link_program("initdb");
  link_program("postgres");
  environment_["SWITCHBOARD_PG_BIN"] = binaries().string();
}

void Gateway::link_program(std::string const& name) const {
  auto const link = binaries() / name;
  if (fs::is_symlink(link)) return;
  fs::create_symlink(fs::path{psql_}.parent_path() / name, link);
}

Gateway::~Gateway() {
  resume_database();
  if (child_) child_->signal(SIGKILL);
  child_.reset();
  end_database();
}

void Gateway::start() {
  child_.reset();
  is_ready_ = false;
  // In a folder without settings files of somebody else.
  child_ = std::make_unique<demo::Child>(
      std::vector<std::string>{"/usr/bin/env", "-C", folder_.string(), program_, "serve"}, environment_, log(),
      /*read_output=*/true);
}

bool Gateway::is_ready() {
  if (!is_ready_ && child_) is_ready_ = child_->read_line(milliseconds{10}).starts_with("ready");
  return is_ready_;
}

void Gateway::kill() {
  if (!child_) return;
  child_->signal(SIGKILL);
  child_->wait(seconds{10});
  is_ready_ = false;
}

int Gateway::stop(milliseconds patience) {
  return child_ ? child_->stop(patience) : -1;
}

std::string Gateway::command(std::vector<std::string> arguments) const {
  std::vector<std::string> all{"/usr/bin/env", "-C", folder_.string(), program_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return demo::run(std::move(all), environment_, log());
}

std::optional<Gateway::Server> Gateway::server() const {
  auto const postgres = data() / "postgres";
  auto cluster = postgres / "cluster";
  // Where the server's user could not reach our folder, a note says where the cluster lives instead.
  if (std::ifstream note{postgres / "moved-to"}; note) {
    std::string place;
    std::getline(note, place);
    cluster = fs::path{place} / "cluster";
  }
  // Process, cluster, start time, port, socket folder.
  std::ifstream in{cluster / "postmaster.pid"};
  std::array<std::string, 5> lines;
  for (auto& line : lines) std::getline(in, line);
  Server const found{std::atoi(lines[0].c_str()), lines[4]};
  if (!in || found.process <= 0 || !lives(found.process)) return std::nullopt;
  return found;
}

void Gateway::stop_database() {
  resume_database();  // who stands still hears nothing
  auto const running = server();
  if (!running) return;
  ::kill(running->process, SIGQUIT);
  wait_until_gone(running->process, seconds{10});
}

void Gateway::take_database_away() {
  fs::remove(binaries() / "postgres");
  stop_database();
  // A start that had found the program before may have been under way.
  while (server()) stop_database();
}

void Gateway::let_database_start() {
  link_program("postgres");
}

void Gateway::pause_database() {
  auto const running = server();
  if (!running) return;
  // Whom it starts before it stands still is found afterwards.
  ::kill(running->process, SIGSTOP);
  paused_ = load::descendants_of(running->process);
  for (auto const process : paused_) ::kill(process, SIGSTOP);
  paused_.push_back(running->process);
}

void Gateway::resume_database() {
  for (auto const process : paused_) ::kill(process, SIGCONT);
  paused_.clear();
}

void Gateway::end_database() {
  auto const running = server();
  if (!running) return;
  ::kill(running->process, SIGINT);
  wait_until_gone(running->process, seconds{10});
  if (server()) stop_database();
}

std::optional<std::vector<std::string>> Gateway::psql_command() const {
  auto const running = server();
  if (!running) return std::nullopt;
  auto const conninfo =
      "host='" + running->socket_folder + "' port=5432 user=switchboard dbname=switchboard connect_timeout=5";
  return std::vector<std::string>{psql_, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", conninfo};
}

std::optional<std::string> Gateway::query(std::string const& sql) const {
  auto command = psql_command();
  if (!command) return std::nullopt;
  command->insert(command->end(), {"-c", sql});
  try {
    return demo::run(std::move(*command), {{"PGCLIENTENCODING", "UTF8"}}, folder_ / "psql.log");
  } catch (std::runtime_error const&) {
    return std::nullopt;  // it is being started, or has just died
  }
}

std::unique_ptr<demo::Child> Gateway::watch(std::string const& sql, milliseconds every) const {
  auto command = psql_command();
  if (!command) return nullptr;
  auto const script = folder_ / "watch.sql";
  std::ofstream{script} << sql << "\n\\watch " << std::chrono::duration<double>{every}.count() << '\n';
  command->insert(command->end(), {"-f", script.string()});
  return std::make_unique<demo::Child>(std::move(*command), demo::Child::Environment{{"PGCLIENTENCODING", "UTF8"}},
                                       folder_ / "psql.log", /*read_output=*/true);
}

}  // namespace sim::chaos
