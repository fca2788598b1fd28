#include "loadtest/demo/command.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "gateway/base/ids.h"
#include "gateway/net/http_client.h"
#include "loadtest/demo/child.h"
#include "loadtest/demo/script.h"
#include "loadtest/sim/elevenlabs/sim.h"
#include "loadtest/sim/twilio/twilio_sim.h"

namespace sim::demo {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char const* number = "+15550001111";
constexpr char const* someone = "+14155550100";

struct Options {
  std::string switchboard = "switchboard";
  std::string data = "data";
  std::uint16_t port = 3000;
  std::uint16_t ops_port = 9464;
  bool once = false;
};

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> raw(bytes);
  base::fill_random(raw);
  return base::to_hex(raw);
}

/// Everything the demo runs besides the gateway: two simulators on one thread.
class Simulators {
 public:
  explicit Simulators(std::string const& api_key, twilio::Account account)
      : agents_{loop_.get_executor(), time_, agent_options(api_key)},
        carrier_{loop_.get_executor(), base::Log::silent(), carrier_settings(std::move(account))} {
    agents_.listen(0);
    control_port_ = carrier_.listen("127.0.0.1", 0);
    thread_ = std::thread{[this] {
      asio::co_spawn(loop_, agents_.serve(), [](std::exception_ptr) {});
      asio::co_spawn(loop_, carrier_.serve(), [](std::exception_ptr) {});
      auto const work = asio::make_work_guard(loop_);
      loop_.run();
    }};
  }

  ~Simulators() {
    auto const end = [this]() -> base::Async<> {
      carrier_.stop();
      agents_.stop();
      co_await carrier_.drain(milliseconds{500});
      co_await agents_.drain(milliseconds{500});
    };
    asio::co_spawn(loop_, end(), asio::use_future).get();
    loop_.stop();
    thread_.join();
  }

  std::string agents_url() const { return agents_.base_url(); }
  std::string carrier_url() const { return carrier_.base_url(); }

  /// Seeding is visible to the gateway within a second; the first call must not find an empty table.
  bool wait_for_numbers(std::string const& health_url) {
    auto const look = [&]() -> base::Async<bool> {
      for (int i = 0; i < 50; ++i) {
        net::HttpCall call;
        call.url = health_url;
        auto const health = co_await http_.send(std::move(call));
        auto const json = nlohmann::json::parse(health ? health->body : std::string{}, nullptr, false);
        if (json.is_object() && json.value("numbers", 0) > 0) co_return true;
        (void)co_await time_.wait(milliseconds{100});
      }
      co_return false;
    };
    return asio::co_spawn(loop_, look(), asio::use_future).get();
  }

  twilio::CallResult call(twilio::CallPlan plan, twilio::Listener listener) {
    return asio::co_spawn(loop_, carrier_.place_call(std::move(plan), std::move(listener)), asio::use_future).get();
  }

 private:
  static elevenlabs::ElevenLabsSim::Options agent_options(std::string const& api_key) {
    elevenlabs::ElevenLabsSim::Options options;
    options.scenario = receptionist(api_key);
    return options;
  }
  static twilio::TwilioSimSettings carrier_settings(twilio::Account account) {
    twilio::TwilioSimSettings settings;
    settings.account = std::move(account);
    return settings;
  }

  asio::io_context loop_{1};
  base::SystemTime time_;
  net::HttpClient http_;
  elevenlabs::ElevenLabsSim agents_;
  twilio::TwilioSim carrier_;
  std::uint16_t control_port_ = 0;
  std::thread thread_;
};

Child::Environment gateway_environment(Options const& options, twilio::Account const& account,
                                       std::string const& api_key, Simulators const& simulators) {
  return {{"PORT", std::to_string(options.port)},
          {"SWITCHBOARD_ADDRESS", "127.0.0.1"},
          {"SWITCHBOARD_OPS_PORT", std::to_string(options.ops_port)},
          {"SWITCHBOARD_DATA_DIR", options.data},
          {"SWITCHBOARD_DRAIN_GRACE", "5s"},
          {"PUBLIC_BASE_URL", "http://127.0.0.1:" + std::to_string(options.port)},
          {"TWILIO_ACCOUNT_SID", account.sid},
          {"TWILIO_AUTH_TOKEN", std::string{account.auth_token.reveal()}},
          {"TWILIO_API_BASE_URL", simulators.carrier_url()},
          {"ELEVENLABS_API_KEY", api_key},
          {"ELEVENLABS_API_BASE_URL", simulators.agents_url()}};
}

/// What `switchboard-sim call` reads to find this demo.
void write_sim_file(std::filesystem::path const& file, Options const& options, twilio::Account const& account,
                    Simulators const& simulators) {
  nlohmann::json const json{{"gateway", "http://127.0.0.1:" + std::to_string(options.port)},
                            {"account_sid", account.sid},
                            {"auth_token", account.auth_token.reveal()},
                            {"number", number},
                            {"control", simulators.carrier_url()}};
  std::ofstream out{file};
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  out << json.dump(2) << '\n';
}

twilio::CallPlan demo_call(Options const& options) {
  auto const base = "http://127.0.0.1:" + std::to_string(options.port);
  twilio::CallPlan plan;
  plan.from = someone;
  plan.to = number;
  plan.voice_url = base + "/api/twilio/voice-callback";
  plan.fallback_url = base + "/api/twilio/voice-fallback";
  plan.status_callback = base + "/api/twilio/status-callback";
  plan.allow_plain_loopback = true;
  plan.caller = caller();
  return plan;
}

bool worth_telling(twilio::EventKind kind) {
  return kind != twilio::EventKind::mark && kind != twilio::EventKind::initiated;
}

void show_call(twilio::CallResult const& result, Options const& options, Child::Environment const& environment,
               std::filesystem::path const& log) {
  std::cout << "\nWhat Switchboard wrote down (switchboard calls show " << result.call_sid << "):\n\n"
            << run({options.switchboard, "calls", "show", result.call_sid}, environment, log);
  auto const record = nlohmann::json::parse(
      run({options.switchboard, "calls", "show", result.call_sid, "--json"}, environment, log), nullptr, false);
  if (record.is_object() && record.contains("recording_path") && record["recording_path"].is_string())
    std::cout << "\nTwo-channel recording (left caller, right agent): " << record["recording_path"].get<std::string>()
              << "\n";
}

int demo(Options const& options) {
  // Signals wait until we ask for them, in every thread.
  sigset_t quit;
  sigemptyset(&quit);
  sigaddset(&quit, SIGINT);
  sigaddset(&quit, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &quit, nullptr);
  signal(SIGPIPE, SIG_IGN);

  std::filesystem::path const data = std::filesystem::absolute(options.data);
  std::filesystem::create_directories(data);
  auto const log = data / "demo.log";
  std::cout << "No Twilio or ElevenLabs credentials are set, so this is a demonstration: Switchboard runs on this "
               "machine between\n"
               "a simulated Twilio and a simulated ElevenLabs, on loopback only, with a demo business and its number "
            << number
            << ".\n"
               "To answer real calls, copy config/env.example to .env, fill it in, and start again. Its log: "
            << log.string() << "\n\n";

  twilio::Account account;
  account.sid = "AC" + random_hex(16);
  account.auth_token = base::Secret{random_hex(16)};
  auto const api_key = "sk_demo_" + random_hex(12);
  Simulators simulators{api_key, account};
  auto own = options;
  own.data = data.string();
  auto const environment = gateway_environment(own, account, api_key, simulators);

  std::cout << "Starting Switchboard and its private PostgreSQL …" << std::endl;
  Child gateway{{options.switchboard, "serve"}, environment, log, /*read_output=*/true};
  auto const ready = gateway.read_line(seconds{60});
  if (!ready.starts_with("ready")) throw std::runtime_error{"Switchboard did not start; see " + log.string()};
  std::cout << ready << "\n";
  run({options.switchboard, "seed", "--number", number}, environment, log);
  if (!simulators.wait_for_numbers("http://127.0.0.1:" + std::to_string(own.ops_port) + "/healthz"))
    throw std::runtime_error{"the gateway did not learn the demo number"};
  write_sim_file(data / "sim.json", own, account, simulators);

  std::cout << "\nA caller dials " << number << " …\n\n";
  auto const result = simulators.call(demo_call(own), [](std::string const&, twilio::Event const& event) {
    if (worth_telling(event.kind)) std::cout << "  " << twilio::to_line(event) << std::endl;
  });
  for (auto const& violation : result.violations)
    std::cout << "  Twilio would complain: " << violation.code << " " << violation.what << "\n";
  show_call(result, own, environment, log);
  if (!options.once) {
    std::cout << "\nStill running; the next call:  build/release/switchboard-sim call --sim "
              << (data / "sim.json").string() << "\nCtrl-C stops everything.\n"
              << std::endl;
    int caught = 0;
    sigwait(&quit, &caught);
    std::cout << "\nStopping …" << std::endl;
  }
  bool const alive = gateway.is_running();
  int const status = gateway.stop(seconds{40});
  if (!alive || status != 0)
    throw std::runtime_error{"Switchboard ended with status " + std::to_string(status) + "; see " + log.string()};
  return result.clean() ? 0 : 1;
}

}  // namespace

void add_demo_command(CLI::App& app, int& exit_code) {
  auto* const command = app.add_subcommand("demo", "Run Switchboard between the simulators and place one call");
  auto const options = std::make_shared<Options>();
  command->add_option("--switchboard", options->switchboard, "The switchboard program")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--data", options->data, "Data directory")->capture_default_str();
  command->add_option("--port", options->port, "Public port")->capture_default_str();
  command->add_option("--ops-port", options->ops_port, "Health and metrics port")->capture_default_str();
  command->add_flag("--once", options->once, "Stop after the demo call");
  command->callback([options, &exit_code] {
    try {
      exit_code = demo(*options);
    } catch (std::exception const& error) {
      std::cerr << "demo: " << error.what() << '\n';
      exit_code = 1;
    }
  });
}

}  // namespace sim::demo
