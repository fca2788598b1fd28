#include <CLI/CLI.hpp>
#include <memory>

#include "gateway/base/ids.h"
#include "loadtest/sim/foreground.h"
#include "loadtest/sim/twilio/command.h"
#include "loadtest/sim/twilio/plan_json.h"
#include "loadtest/sim/twilio/sim_file.h"
#include "loadtest/sim/twilio/twilio_sim.h"

namespace sim::twilio {
namespace {

struct Arguments {
  std::uint16_t port = 4010;
  std::string address = "127.0.0.1";
  std::string sim_file;
  std::string account_sid;
  std::string auth_token_file;
  std::string gateway;
  std::string authority;
  std::vector<std::string> numbers;
  std::string callee = "answered";
  std::string callee_wav;
  std::string callee_stays = "20s";
  double calls_per_second = 1;
};

CallPlan callee_plan(Arguments const& arguments) {
  CallPlan plan;
  plan.allow_plain_loopback = true;
  plan.keep_audio = false;
  plan.caller.hang_up_after = duration_of(arguments.callee_stays);
  plan.caller.speech = default_speech();
  if (!arguments.callee_wav.empty()) {
    auto speech = load_speech(arguments.callee_wav);
    if (!speech) throw WrongUsage{"--callee-wav: " + speech.error().detail};
    plan.caller.speech = std::move(*speech);
  }
  if (arguments.callee == "busy")
    plan.callee.answer = CalleeAnswer::busy;
  else if (arguments.callee == "no-answer")
    plan.callee.answer = CalleeAnswer::no_answer;
  else if (arguments.callee == "failed")
    plan.callee.answer = CalleeAnswer::failed;
  else if (arguments.callee != "answered")
    throw WrongUsage{"--callee is answered, busy, no-answer or failed"};
  return plan;
}

int run(Arguments const& arguments) {
  auto file = read_sim_file(arguments.sim_file);
  complete(file, arguments.account_sid, arguments.auth_token_file);
  if (!arguments.gateway.empty()) file.gateway = arguments.gateway;
  bool const invented = file.account_sid.empty() || file.auth_token.empty();
  if (invented) {
    file.account_sid = new_sid("AC");
    file.auth_token = base::Secret{new_sid("")};
  }
  TwilioSimSettings settings;
  settings.account = {file.account_sid, file.auth_token, {}};
  settings.authority = arguments.authority;
  settings.calls_per_second = arguments.calls_per_second;
  settings.outbound = callee_plan(arguments);
  asio::io_context io{1};
  TwilioSim carrier{io.get_executor(), base::Log::to_stderr(base::LogLevel::warning), std::move(settings)};
  auto numbers = arguments.numbers;
  if (numbers.empty() && !file.number.empty()) numbers.push_back(file.number);
  for (auto const& number : numbers) {
    auto& added = carrier.rest().add_number(number);
    if (file.gateway.empty()) continue;
    added.fields["voice_url"] = file.gateway + "/api/twilio/voice-callback";
    added.fields["status_callback"] = file.gateway + "/api/twilio/status-callback";
  }
  carrier.listen(arguments.address, arguments.port);
  auto ready = "ready " + carrier.base_url();
  // An account made up a moment ago opens nothing but this process.
  if (invented) {
    ready += "\nTWILIO_ACCOUNT_SID=" + file.account_sid;
    ready.append("\nTWILIO_AUTH_TOKEN=").append(file.auth_token.reveal());
    ready += "\nTWILIO_API_BASE_URL=" + carrier.base_url();
  }
  serve_in_foreground(io, carrier, ready);
  return 0;
}

}  // namespace

void add_twilio_command(CLI::App& app, int& exit_code) {
  auto const arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("twilio", "Simulated carrier: REST twin and control endpoint (POST /sim/calls)");
  command->add_option("--port", arguments->port, "Port of REST twin and control endpoint; 0 takes a free one")
      ->capture_default_str();
  command->add_option("--address", arguments->address, "Address to listen on")->capture_default_str();
  command->add_option("--sim", arguments->sim_file, "File that describes a demo; default DATA/sim.json when it exists");
  command->add_option("--account-sid", arguments->account_sid, "AC…; also TWILIO_ACCOUNT_SID; made up when missing");
  command->add_option("--auth-token-file", arguments->auth_token_file,
                      "File with the auth token; also TWILIO_AUTH_TOKEN");
  command->add_option("--gateway", arguments->gateway, "Base URL that the numbers' webhooks point to");
  command->add_option("--authority", arguments->authority,
                      "PEM file of the authority that signed the gateway's certificate, if no public one did");
  command->add_option("--number", arguments->numbers, "Number of the account; may be repeated");
  command
      ->add_option("--callee", arguments->callee, "What calls created by REST meet: answered, busy, no-answer, failed")
      ->capture_default_str();
  command->add_option("--callee-wav", arguments->callee_wav, "What the callee says");
  command->add_option("--callee-stays", arguments->callee_stays, "When the callee hangs up")->capture_default_str();
  command->add_option("--cps", arguments->calls_per_second, "Calls a second that leave the queue")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 1000.0));
  command->callback([arguments, &exit_code] { exit_code = exit_code_of([&] { return run(*arguments); }); });
}

}  // namespace sim::twilio
