#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/settings.h"
#include "gateway/base/log.h"

namespace gateway {

/// Where a started process can be reached.
struct Addresses {
  std::uint16_t public_port = 0;
  std::uint16_t ops_port = 0;
};

/// The whole gateway. The only place where services are built and wired; start order, drain order.
class Process {
 public:
  /// Opens the database, brings its schema up to date and builds everything; nothing listens yet. Throws
  /// crm::pg::StartFailure or another std::exception whose what() is one sentence for the operator.
  Process(config::Settings settings, base::Log log);
  ~Process();

  /// Listens and serves; returns when calls can come. Throws when a port cannot be had.
  Addresses start();
  /// Not ready, new calls refused politely, live calls get the grace, then are ended; records written; everything
  /// joined. Blocks. True when every record reached the database, or the journal while that is away.
  bool stop(std::chrono::milliseconds grace);
  /// Cuts the grace of a stop under way; any thread.
  void hurry();

  /// Reads the certificate and its key again; connections that are open keep theirs. On failure the old ones stay.
  /// Logged either way. Any thread.
  void reload_certificate();

  /// Calls being served; any thread.
  std::size_t live_calls() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway
