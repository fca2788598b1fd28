#include "gateway/serve_command.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "config/doctor.h"
#include "config/load.h"
#include "config/manual.h"
#include "gateway/probes.h"
#include "gateway/process.h"

namespace gateway {
namespace {

std::optional<std::filesystem::path> config_path(std::string const& file) {
  if (file.empty()) return std::nullopt;
  return std::filesystem::path{file};
}

/// Every SIGHUP, until the signals end.
void reload_on_hangup(asio::signal_set& hangups, Process& process) {
  hangups.async_wait([&](boost::system::error_code error, int) {
    if (error) return;
    process.reload_certificate();
    reload_on_hangup(hangups, process);
  });
}

/// Serves until SIGINT or SIGTERM; a second one cuts the grace. SIGHUP reads the certificate again.
int serve(config::Settings const& settings, std::ostream& out) {
  // A carrier that closes while we write must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  // Signals are caught before any thread exists, so that none of them takes one.
  asio::io_context signals_context{1};
  asio::signal_set signals{signals_context, SIGINT, SIGTERM};
  asio::signal_set hangups{signals_context, SIGHUP};
  auto const log = base::Log::to_stderr(settings.log_level);
  auto const grace = settings.drain_grace;
  Process process{settings, log};
  auto const addresses = process.start();
  out << "ready " << settings.http.public_base_url << " port " << addresses.public_port << " ops " << addresses.ops_port
      << std::endl;

  bool written = true;
  std::thread stopper;
  signals.async_wait([&](boost::system::error_code error, int) {
    if (error) return;
    stopper = std::thread{[&] {
      written = process.stop(grace);
      asio::post(signals_context, [&] {
        signals.cancel();
        hangups.cancel();
      });
    }};
    signals.async_wait([&](boost::system::error_code again, int) {
      if (!again) process.hurry();
    });
  });
  reload_on_hangup(hangups, process);
  signals_context.run();
  stopper.join();
  return written ? 0 : 1;
}

}  // namespace

void add_serve_commands(CLI::App& app, CommandContext const& context, std::map<std::string, std::string>& flags,
                        std::string& config_file, int& exit_code) {
  auto* const serve_command =
      app.add_subcommand("serve", "Answer calls. Prints one line \"ready https://HOST …\" when calls can come.");
  serve_command->add_option("--config", config_file, "Settings file; default ./switchboard.toml when it exists")
      ->type_name("<file>");
  for (auto const& doc : config::flag_docs()) {
    serve_command
        ->add_option_function<std::string>(
            "--" + doc.flag, [&flags, name = doc.flag](std::string const& value) { flags[name] = value; }, doc.about)
        ->type_name(doc.value)
        ->group("Settings");
  }
  on_command(*serve_command, context, exit_code, [&] {
    auto const settings =
        config::load(config::process_sources(config::Purpose::serve, flags, config_path(config_file)));
    exit_code = serve(settings, *context.out);
    if (exit_code != 0) throw CommandFailure{"some call records could not be written before the stop"};
  });

  auto* const doctor =
      app.add_subcommand("doctor", "Say what is missing before calls can be answered, and how to get it.");
  doctor->add_option("--config", config_file, "Settings file; default ./switchboard.toml when it exists")
      ->type_name("<file>");
  auto const json = std::make_shared<bool>(false);
  doctor->add_flag("--json", *json, "Print JSON");
  on_command(*doctor, context, exit_code, [&context, &flags, &config_file, json] {
    auto const outcome =
        config::examine(config::process_sources(config::Purpose::serve, flags, config_path(config_file)));
    auto const report = config::diagnose(outcome, probe(outcome.settings));
    *context.out << (*json ? config::to_json(report) : config::to_text(report)) << std::endl;
    if (report.verdict() == config::Status::fail) throw CommandFailure{"calls cannot be answered yet"};
  });
}

}  // namespace gateway
