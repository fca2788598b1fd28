#include "tests/flow/child_scene.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "crm/pg/postmaster_file.h"
#include "crm/pg/server_binaries.h"
#include "crm/pg/start_failure.h"
#include "crm/store/calls.h"

namespace outside {
namespace {

namespace fs = std::filesystem;
using Tcp = asio::ip::tcp;

constexpr char const* number = "+15550001111";

std::string text_of(fs::path const& file) {
  std::ifstream in{file, std::ios::binary};
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

Folder::Folder() {
  // In memory if there is room: these tests crash databases, and a recovery waits for the disk.
  std::error_code none;
  auto const memory = fs::space("/dev/shm", none);
  bool const roomy = !none && memory.available > 2'000'000'000;
  std::string name = roomy ? "/dev/shm/switchboard-flow-XXXXXX" : "/tmp/switchboard-flow-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no place for test data"};
  path_ = name;
  ::chmod(name.c_str(), 0755);
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::uint16_t free_port() {
  static std::mt19937 dice{std::random_device{}()};
  asio::io_context context;
  for (;;) {
    auto const port = static_cast<std::uint16_t>(std::uniform_int_distribution<>{12000, 32000}(dice));
    Tcp::acceptor acceptor{context};
    boost::system::error_code error;
    acceptor.open(Tcp::v4(), error);
    acceptor.bind({asio::ip::address_v4::loopback(), port}, error);
    if (!error) return port;
  }
}

bool until(std::function<bool()> const& condition, milliseconds patience) {
  auto const deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

std::vector<std::string> processes_of(fs::path const& folder) {
  std::vector<std::string> found;
  std::error_code gone;
  for (auto const& entry : fs::directory_iterator{"/proc"}) {
    auto const name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(::getpid())) continue;
    auto command = text_of(entry.path() / "cmdline");
    std::ranges::replace(command, '\0', ' ');
    auto const works_in = fs::read_symlink(entry.path() / "cwd", gone).string();
    bool const ours = command.find(folder.string()) != std::string::npos || works_in.starts_with(folder.string());
    if (ours && !command.empty()) found.push_back(name + " " + command);
  }
  return found;
}

bool nothing_runs_in(fs::path const& folder) {
  return until([&] { return processes_of(folder).empty(); }, 5s);
}

std::string missing_postgres() {
  try {
    (void)crm::pg::find_server_binaries({}, std::nullopt);
    (void)crm::pg::choose_server_user();
    return {};
  } catch (crm::pg::StartFailure const& failure) {
    return failure.what();
  }
}

Ended run_to_end(std::vector<std::string> arguments, Environment const& environment, fs::path const& folder,
                 milliseconds patience) {
  static std::atomic<int> runs = 0;
  auto const errors = folder / ("stderr." + std::to_string(++runs));
  Child child{std::move(arguments), environment, errors, /*read_output=*/true};
  Ended ended;
  ended.status = child.wait(patience);
  if (ended.status < 0) child.signal(SIGKILL);
  ended.out = child.read_all();
  ended.err = text_of(errors);
  return ended;
}

ChildScene::ChildScene(Environment changes, Encryption const& tls)
    : sims{tls},
      program{std::string{BINARY_ROOT} + "/switchboard"},
      environment_{{"PORT", std::to_string(port)},
                   {"SWITCHBOARD_ADDRESS", "127.0.0.1"},
                   {"SWITCHBOARD_OPS_PORT", std::to_string(ops_port)},
                   {"SWITCHBOARD_DATA_DIR", data().string()},
                   {"SWITCHBOARD_CORES", "2"},
                   // Tests share the machine: what their loops are late says nothing of the program.
                   {"SWITCHBOARD_MAX_LAG", "10s"},
                   {"PUBLIC_BASE_URL",
                    (tls.authority.empty() ? "http://127.0.0.1:" : "https://127.0.0.1:") + std::to_string(port)},
                   {"TWILIO_ACCOUNT_SID", sims.account().sid},
                   {"TWILIO_AUTH_TOKEN", std::string{sims.account().auth_token.reveal()}},
                   {"TWILIO_API_BASE_URL", sims.carrier_url()},
                   {"ELEVENLABS_API_KEY", sims.api_key()},
                   {"ELEVENLABS_API_BASE_URL", sims.agents_url()}} {
  for (auto& [name, value] : changes) environment_[name] = std::move(value);
}

ChildScene::~ChildScene() {
  gateway_.reset();
  auto const server = postmaster();
  if (server > 0) ::kill(server, SIGQUIT);
}

Environment ChildScene::environment_with(Environment const& changes) const {
  auto all = environment_;
  for (auto const& [name, value] : changes) all[name] = value;
  return all;
}

/// In a folder without settings files; named on the command line, so that its processes can be found again.
std::vector<std::string> ChildScene::serve_command() const {
  std::vector<std::string> all{"/usr/bin/env", "-C", folder.path().string()};
  all.insert(all.end(), as.begin(), as.end());
  all.insert(all.end(), {program, "serve", "--data-dir", data().string()});
  return all;
}

void ChildScene::serve() {
  gateway_ = std::make_unique<Child>(serve_command(), environment_, folder.path() / "log", /*read_output=*/true);
  ready_line_ = gateway_->read_line(60s);
  if (!ready_line_.starts_with("ready"))
    throw std::runtime_error{"serve did not get ready: " + ready_line_ + "\n" + log()};
}

void ChildScene::seed() {
  auto const seeded = command({"seed"});
  if (seeded.status != 0) throw std::runtime_error{"seed failed: " + seeded.err};
  if (!until([&] { return health().value("numbers", 0) > 0; })) throw std::runtime_error{"the number is not routed"};
}

void ChildScene::kill() {
  gateway_->signal(SIGKILL);
  gateway_->wait(10s);
}

int ChildScene::stop(milliseconds patience) {
  gateway_->signal(SIGTERM);
  return gateway_->wait(patience);
}

Ended ChildScene::command(std::vector<std::string> arguments, Environment const& changes) {
  std::vector<std::string> all{"/usr/bin/env", "-C", folder.path().string()};
  all.insert(all.end(), as.begin(), as.end());
  all.push_back(program);
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_to_end(std::move(all), environment_with(changes), folder.path());
}

unsigned ChildScene::readiness() {
  return sims.get("http://127.0.0.1:" + std::to_string(ops_port) + "/readyz").status;
}

Json ChildScene::health() {
  auto const answer = sims.get("http://127.0.0.1:" + std::to_string(ops_port) + "/healthz");
  auto json = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json::object();
}

double ChildScene::metric(std::string const& name) {
  std::istringstream lines{sims.get("http://127.0.0.1:" + std::to_string(ops_port) + "/metrics").body};
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    auto const value = line.rfind(' ');
    bool const is_it = line.starts_with(name) && (line[name.size()] == ' ' || line[name.size()] == '{');
    if (is_it) sum += std::stod(line.substr(value + 1));
  }
  return sum;
}

CallPlan ChildScene::plan() const {
  auto const base = environment_.at("PUBLIC_BASE_URL");
  CallPlan plan;
  plan.from = "+14155550100";
  plan.to = number;
  plan.voice_url = base + "/api/twilio/voice-callback";
  plan.fallback_url = base + "/api/twilio/voice-fallback";
  plan.status_callback = base + "/api/twilio/status-callback";
  plan.allow_plain_loopback = true;
  plan.keep_audio = false;
  plan.caller.speech = sim::twilio::default_speech();
  plan.caller.speech_at = 4s;
  return plan;
}

std::string ChildScene::conninfo() const {
  auto const url = environment_.find("DATABASE_URL");
  if (url != environment_.end() && !url->second.empty()) return url->second;
  auto const server = crm::pg::find_running_server(data() / "postgres" / "cluster");
  if (!server || !server->ready) return {};
  return "host=" + server->socket_folder + " port=5432 user=switchboard dbname=switchboard";
}

std::optional<crm::CallRecord> ChildScene::record(std::string const& call_sid) {
  crm::Database const database{.conninfo = conninfo(), .server = nullptr};
  if (database.conninfo.empty()) return std::nullopt;
  auto const look = [&](crm::pg::Pool& pool,
                        base::Instant deadline) -> base::Async<base::Result<std::optional<crm::CallRecord>>> {
    auto session = pool.until(deadline);
    auto found = co_await crm::find_call(session, call_sid);
    co_return found;
  };
  auto found = crm::run_blocking(database, look, 3s);
  return found ? std::move(*found) : std::nullopt;
}

std::optional<crm::CallRecord> ChildScene::ended_record(std::string const& call_sid, milliseconds patience) {
  std::optional<crm::CallRecord> found;
  until([&] { return (found = record(call_sid)) && crm::is_terminal(found->status); }, patience);
  return found;
}

bool ChildScene::heard(std::string const& call_sid, std::string const& words, milliseconds patience) {
  return until(
      [&] {
        auto const now = record(call_sid);
        return now && heard_of_agent(*now).find(words) != std::string::npos;
      },
      patience);
}

pid_t ChildScene::postmaster() const {
  auto const server = crm::pg::find_running_server(data() / "postgres" / "cluster");
  return server ? server->process : 0;
}

void ChildScene::kill_postmaster() {
  auto const server = postmaster();
  ASSERT_GT(server, 0);
  ::kill(server, SIGQUIT);
  ASSERT_TRUE(until([&] { return postmaster() != server; }));
}

std::string ChildScene::log() const {
  return text_of(folder.path() / "log");
}

std::size_t count(crm::CallRecord const& record, std::string_view kind) {
  return static_cast<std::size_t>(std::ranges::count(record.events, kind, &crm::CallEvent::kind));
}

std::string heard_of_agent(crm::CallRecord const& record) {
  std::string text;
  for (auto const& turn : record.turns)
    if (turn.role == crm::Speaker::agent) text += turn.heard + " ";
  return text;
}

void expect_unbroken(CallResult const& result) {
  EXPECT_FALSE(result.streams.empty());
  for (auto const& stream : result.streams) {
    EXPECT_EQ(stream.frames_lost, 0U);
    EXPECT_GT(stream.agent_turns, 0U);
    if (!slowed) EXPECT_EQ(stream.underruns, 0U);
  }
  for (auto const& violation : result.violations) ADD_FAILURE() << violation.code << " " << violation.what;
}

}  // namespace outside
