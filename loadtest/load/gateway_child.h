#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "loadtest/demo/child.h"
#include "loadtest/load/options.h"

namespace sim::load {

/// Where the gateway that we start finds us.
struct Surroundings {
  std::string agents_url;
  std::string carrier_url;
  std::string account_sid;
  std::string auth_token;
  std::filesystem::path certificate;  ///< PEM files, for both of us; empty without TLS.
  std::filesystem::path key;
};

/// A gateway of our own: started with a private database and one media core, given a number to answer, pinned, and
/// stopped by the destructor. Blocking.
class GatewayChild {
 public:
  /// Throws std::runtime_error with a sentence.
  GatewayChild(Options const& options, Surroundings const& surroundings);
  ~GatewayChild();
  GatewayChild(GatewayChild const&) = delete;
  GatewayChild& operator=(GatewayChild const&) = delete;

  std::string const& public_url() const { return public_url_; }
  std::string const& health_url() const { return health_url_; }
  pid_t pid() { return child_->pid(); }
  /// Its call records by ending: how many there are, and how many of them name another ending than the caller's
  /// hang-up.
  struct Records {
    std::int64_t all = 0;
    std::int64_t unexpected = 0;
  };
  Records records();

 private:
  std::string command(std::vector<std::string> arguments);

  std::filesystem::path folder_;
  bool is_temporary_;
  std::string program_;
  demo::Child::Environment environment_;
  std::string public_url_;
  std::string health_url_;
  std::unique_ptr<demo::Child> child_;
};

/// A folder under /dev/shm or /tmp that is not there yet has been made.
std::filesystem::path make_temporary_folder();

}  // namespace sim::load
