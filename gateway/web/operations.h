#pragma once
#include <functional>
#include <string>

#include "gateway/base/metrics.h"
#include "gateway/net/router.h"

namespace gateway::web {

/// The process as an operator's tools see it. Read from the operations port's thread.
struct Health {
  bool ready = false;  ///< New calls are taken.
  bool draining = false;
  bool database = true;  ///< The last write or look succeeded; calls go on without it.
  std::size_t calls = 0;
  std::size_t numbers = 0;            ///< Phone numbers that an agent answers.
  std::size_t records_waiting = 0;    ///< In memory, not in the database yet.
  std::uint64_t journal_records = 0;  ///< On disk, not in the database yet; many of them in memory too.
  std::uint64_t journal_bytes = 0;
  bool journal_fails = false;    ///< Nothing can be written to it.
  bool journal_reserved = true;  ///< Disk space is set aside for its next file.
};

/// /livez (the process runs), /readyz (200 when new calls are taken, else 503), /healthz (details as JSON; "degraded"
/// while the database is away or the journal cannot be written), /metrics (Prometheus text format).
void add_operations(net::Router& router, std::function<Health()> health, base::Metrics const& metrics);

}  // namespace gateway::web
