#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "gateway/net/url.h"
#include "loadtest/sim/twilio/command.h"
#include "loadtest/sim/twilio/plan_json.h"
#include "loadtest/sim/twilio/sim_file.h"
#include "loadtest/sim/twilio/summary.h"
#include "loadtest/sim/twilio/twilio_sim.h"

namespace sim::twilio {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

struct Arguments {
  std::string from = "+14155550100";
  std::string to;
  std::string gateway;
  std::string public_base;
  std::string authority;
  std::string webhook;
  std::string status_callback;
  std::string fallback;
  std::string account_sid;
  std::string auth_token_file;
  std::string sim_file;
  std::uint16_t rest_port = 4010;
  std::string wav;
  std::string save;
  std::string barge_in_at;
  std::string barge_in_wav;
  std::string dtmf;
  std::string hang_up_after = "20s";
  std::string hang_up_when_quiet;
  unsigned hang_up_after_turns = 0;
  std::string pacing;
  std::string drop_after;
  std::string webhook_signing;
  std::string stream_signing;
  bool json = false;
};

/// Where the call's story goes: events as they come, the result at the end.
class Narrator {
 public:
  explicit Narrator(bool json) : json_{json} {}
  void event(std::string const& event_json) const {
    if (json_)
      std::cout << event_json << std::endl;
    else
      std::cout << Json::parse(event_json).value("line", "") << std::endl;
  }
  void result(std::string const& result_json) const {
    if (json_)
      std::cout << R"({"result":)" << result_json << "}" << std::endl;
    else
      std::cout << "\n" << summary_of(result_json) << std::flush;
  }

 private:
  bool json_;
};

bool is_plain_loopback(std::string const& base) {
  auto const url = net::parse_url(base);
  return url && url->scheme == "http" &&
         (url->host == "localhost" || url->host == "::1" || url->host.starts_with("127."));
}

std::string absolute(std::string const& path) {
  return path.empty() ? path : std::filesystem::absolute(path).string();
}

Json plan_of(Arguments const& arguments, SimFile const& file) {
  auto const under = [&](std::string const& given, char const* path) {
    return given.empty() ? file.gateway + path : given;
  };
  Json plan{{"from", arguments.from},
            {"to", arguments.to.empty() ? file.number : arguments.to},
            {"voice_url", under(arguments.webhook, "/api/twilio/voice-callback")},
            {"status_callback", under(arguments.status_callback, "/api/twilio/status-callback")},
            {"hang_up_after_ms", duration_of(arguments.hang_up_after).count()},
            {"allow_plain_loopback", is_plain_loopback(file.gateway)}};
  auto const text = [&plan](char const* name, std::string const& value) {
    if (!value.empty()) plan[name] = value;
  };
  auto const time = [&plan](char const* name, std::string const& value) {
    if (!value.empty()) plan[name] = duration_of(value).count();
  };
  text("fallback_url", arguments.fallback);
  text("public_base", arguments.public_base);
  text("wav", absolute(arguments.wav));
  text("barge_in_wav", absolute(arguments.barge_in_wav));
  text("dtmf", arguments.dtmf);
  text("pacing", arguments.pacing);
  text("webhook_signing", arguments.webhook_signing);
  text("stream_signing", arguments.stream_signing);
  time("barge_in_at_ms", arguments.barge_in_at);
  time("hang_up_after_quiet_ms", arguments.hang_up_when_quiet);
  time("drop_tcp_after_ms", arguments.drop_after);
  if (arguments.hang_up_after_turns > 0) plan["hang_up_after_agent_turns"] = arguments.hang_up_after_turns;
  return plan;
}

void save(std::string const& path, std::string const& wav) {
  if (path.empty()) return;
  std::ofstream out{path, std::ios::binary};
  out.write(wav.data(), static_cast<std::streamsize>(wav.size()));
  if (!out.flush()) throw std::runtime_error{"cannot write " + path};
}

/// Ctrl-C hangs up; the call then ends in order.
base::Async<> hang_up_on_signal(asio::signal_set& signals, TwilioSim& carrier) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  while (state.cancelled() == asio::cancellation_type::none) {
    auto [error, signal] = co_await signals.async_wait(base::quietly);
    if (error) continue;
    for (auto const& entry : carrier.calls().all())
      if (entry->live) entry->live->hang_up();
  }
}

base::Async<> call_then_stop(TwilioSim& carrier, asio::signal_set& signals, CallPlan plan, Narrator const& narrator,
                             CallResult& result) {
  using namespace asio::experimental::awaitable_operators;
  Listener const listener = [&narrator](std::string const&, Event const& event) { narrator.event(to_json(event)); };
  auto outcome = co_await (carrier.place_call(std::move(plan), listener) || hang_up_on_signal(signals, carrier));
  result = std::move(std::get<0>(outcome));
  carrier.stop();
}

base::Async<> run_standalone(TwilioSim& carrier, asio::signal_set& signals, CallPlan plan, Narrator const& narrator,
                             CallResult& result) {
  using namespace asio::experimental::awaitable_operators;
  co_await (carrier.serve() && call_then_stop(carrier, signals, std::move(plan), narrator, result));
  co_await carrier.drain(100ms);
}

int call_by_ourselves(Arguments const& arguments, SimFile const& file, std::string const& plan_json) {
  if (file.account_sid.empty() || file.auth_token.empty())
    throw WrongUsage{
        "account SID and auth token are needed: --account-sid and --auth-token-file, or TWILIO_ACCOUNT_SID and "
        "TWILIO_AUTH_TOKEN, or --sim FILE"};
  auto plan = plan_from_json(plan_json);
  if (!plan) throw WrongUsage{plan.error().detail};
  TwilioSimSettings settings;
  settings.account = {file.account_sid, file.auth_token, {}};
  settings.authority = arguments.authority;
  asio::io_context io{1};
  TwilioSim carrier{io.get_executor(), base::Log::to_stderr(base::LogLevel::warning), std::move(settings)};
  carrier.listen("127.0.0.1", arguments.rest_port);
  Narrator const narrator{arguments.json};
  CallResult result;
  asio::signal_set signals{io, SIGINT, SIGTERM};
  asio::co_spawn(io, run_standalone(carrier, signals, std::move(*plan), narrator, result),
                 [](std::exception_ptr crash) {
                   if (crash) std::rethrow_exception(crash);
                 });
  io.run();
  narrator.result(to_json(result));
  save(arguments.save, wav_of(result.heard));
  return result.clean() ? 0 : 1;
}

/// One request to the running simulator. Throws when it is not there or refuses.
base::Async<std::string> ask(net::HttpClient& http, std::string method, std::string url, std::string body) {
  net::HttpCall call;
  call.method = std::move(method);
  call.url = std::move(url);
  call.body = std::move(body);
  call.max_response_bytes = std::size_t{256} * 1024 * 1024;
  call.headers.add("Content-Type", "application/json");
  auto answer = co_await http.send(std::move(call));
  if (!answer) throw std::runtime_error{"the simulator does not answer: " + answer.error().detail};
  if (answer->status >= 300) throw std::runtime_error{"the simulator refuses: " + answer->body};
  co_return std::move(answer->body);
}

base::Async<> call_through_control(std::string control, std::string plan_json, Arguments const& arguments,
                                   int& exit_code) {
  net::HttpClient http;
  Narrator const narrator{arguments.json};
  base::SystemTime time;
  auto const started = co_await ask(http, "POST", control + "/sim/calls", std::move(plan_json));
  auto const url = control + "/sim/calls/" + Json::parse(started).value("sid", "");
  std::size_t since = 0;
  for (;;) {
    auto const text = co_await ask(http, "GET", url + "?since=" + std::to_string(since), {});
    auto const news = Json::parse(text);
    for (auto const& event : news["events"]) narrator.event(event.dump());
    since = news["next"].get<std::size_t>();
    if (news["done"].get<bool>()) {
      auto const result = news["result"].dump();
      narrator.result(result);
      exit_code = is_clean(result) ? 0 : 1;
      break;
    }
    (void)co_await time.wait(50ms);
  }
  if (arguments.save.empty()) co_return;
  auto const wav = co_await ask(http, "GET", url + "/heard.wav", {});
  save(arguments.save, wav);
}

int run(Arguments const& arguments) {
  auto file = read_sim_file(arguments.sim_file);
  bool const own_account = !arguments.account_sid.empty() || !arguments.auth_token_file.empty();
  complete(file, arguments.account_sid, arguments.auth_token_file);
  if (!arguments.gateway.empty()) file.gateway = arguments.gateway;
  if (file.gateway.empty() && arguments.webhook.empty()) throw WrongUsage{"--gateway is needed (or --sim FILE)"};
  auto const plan = plan_of(arguments, file);
  if (plan["to"] == "") throw WrongUsage{"--to is needed (or --sim FILE)"};
  // A demo's simulator trusts whom it trusts.
  if (file.control.empty() || own_account || !arguments.authority.empty())
    return call_by_ourselves(arguments, file, plan.dump());
  asio::io_context io{1};
  int exit_code = 1;
  asio::co_spawn(io, call_through_control(file.control, plan.dump(), arguments, exit_code),
                 [](std::exception_ptr crash) {
                   if (crash) std::rethrow_exception(crash);
                 });
  io.run();
  return exit_code;
}

void describe(CLI::App& command, Arguments& a) {
  command.add_option("--from", a.from, "Who calls")->capture_default_str();
  command.add_option("--to", a.to, "Number called; default: the demo's");
  command.add_option("--gateway", a.gateway, "Base URL of the running gateway");
  command.add_option("--public-base", a.public_base, "The gateway's PUBLIC_BASE_URL when it differs from --gateway");
  command.add_option("--authority", a.authority,
                     "PEM file of the authority that signed the gateway's certificate, if no public one did");
  command.add_option("--webhook", a.webhook, "Voice webhook; default GATEWAY/api/twilio/voice-callback");
  command.add_option("--status-callback", a.status_callback, "Default GATEWAY/api/twilio/status-callback");
  command.add_option("--fallback", a.fallback, "Fallback URL; default none");
  command.add_option("--account-sid", a.account_sid, "AC…; also TWILIO_ACCOUNT_SID");
  command.add_option("--auth-token-file", a.auth_token_file, "File with the auth token; also TWILIO_AUTH_TOKEN");
  command.add_option("--sim", a.sim_file, "File that describes a demo; default DATA/sim.json when it exists");
  command.add_option("--rest-port", a.rest_port, "REST twin of this call: the gateway's TWILIO_API_BASE_URL")
      ->capture_default_str();
  command.add_option("--wav", a.wav, "What the caller says: any WAV");
  command.add_option("--save", a.save, "Write what the caller heard: WAV, 8 kHz, aligned to the timeline");
  command.add_option("--barge-in-at", a.barge_in_at,
                     "From then on interrupt the agent as soon as it speaks, for example 2.5s");
  command.add_option("--barge-in-wav", a.barge_in_wav, "What the caller says then; default: the same as --wav");
  command.add_option("--dtmf", a.dtmf, "Keys to press, for example 1#");
  command.add_option("--for", a.hang_up_after, "The caller hangs up so long after the answer")->capture_default_str();
  command.add_option("--hang-up-when-quiet", a.hang_up_when_quiet,
                     "Hang up when the agent, having spoken, is silent so long");
  command.add_option("--hang-up-after-turns", a.hang_up_after_turns, "Hang up after so many utterances of the agent");
  command.add_option("--pacing", a.pacing, "steady, jitter or bursts");
  command.add_option("--drop-after", a.drop_after, "Break the stream's connection without a stop message");
  command.add_option("--webhook-signing", a.webhook_signing, "correct, none or wrong_token");
  command.add_option("--stream-signing", a.stream_signing,
                     "correct, none, wrong_token, https_scheme or trailing_slash");
  command.add_flag("--json", a.json, "One JSON object a line; the last is the result");
}

}  // namespace

void add_call_command(CLI::App& app, int& exit_code) {
  auto const arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("call", "One simulated telephone call to a running gateway");
  describe(*command, *arguments);
  command->callback([arguments, &exit_code] { exit_code = exit_code_of([&] { return run(*arguments); }); });
}

}  // namespace sim::twilio
