#pragma once
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>

#include "crm/pg/query.h"
#include "crm/pg/row.h"
#include "gateway/base/async.h"
#include "gateway/base/time_source.h"

struct pg_conn;

namespace crm::pg {

/// One connection, used by one coroutine at a time on the thread that opened it. Nothing here blocks that thread: the
/// socket is waited for through Asio, host names are looked up beforehand (net/name_lookup.h). Statements go without
/// server-side names, so a transaction-pooling proxy may stand in between.
class Connection {
 public:
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  /// `conninfo` as libpq takes it, key=value or postgresql:// URL. Fault::unavailable when nobody answers or refuses
  /// us.
  static base::Async<base::Result<std::unique_ptr<Connection>>> open(std::string conninfo, base::TimeSource& time,
                                                                     base::Instant deadline);

  /// Runs one statement. After a timeout, a cancellation or a lost connection the connection is no longer usable().
  base::Async<base::Result<Rows>> run(Query query, Params params, base::Instant deadline);

  /// Between statements, outside a transaction, and the server has not hung up. Looks at the socket without waiting.
  bool usable();

 private:
  struct Closed {
    void operator()(pg_conn* connection) const;
  };
  Connection(pg_conn* connection, base::TimeSource& time) : connection_{connection}, time_{time} {}

  base::Async<base::Result<>> finish_handshake(base::Instant deadline);
  base::Async<base::Result<>> flush(base::Instant deadline);
  base::Async<base::Result<Rows>> collect(char const* query_name, base::Instant deadline);
  base::Async<base::Result<>> wait_for(asio::posix::stream_descriptor::wait_type what, base::Instant deadline);
  base::Error lost(char const* doing) const;

  std::unique_ptr<pg_conn, Closed> connection_;
  base::TimeSource& time_;
  std::optional<asio::posix::stream_descriptor> socket_;  // a duplicate: libpq closes its own whenever it likes
  int watched_ = -1;                                      // libpq's number of the socket that was duplicated
  bool busy_ = false;
};

}  // namespace crm::pg
