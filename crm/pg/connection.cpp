#include "crm/pg/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <cerrno>
#include <cstring>

#include "crm/pg/address.h"
#include "crm/pg/fault.h"

namespace crm::pg {
namespace {

using base::Async;
using base::fail;
using base::Fault;
using base::Result;
using Descriptor = asio::posix::stream_descriptor;

Async<boost::system::error_code> ready(Descriptor& socket, Descriptor::wait_type what) {
  auto [error] = co_await socket.async_wait(what, base::quietly);
  co_return error;
}

std::string first_line(std::string_view text) {
  return std::string{text.substr(0, text.find('\n'))};
}

}  // namespace

void Connection::Closed::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

Connection::~Connection() = default;

Async<Result<std::unique_ptr<Connection>>> Connection::open(std::string conninfo, base::TimeSource& time,
                                                            base::Instant deadline) {
  auto const address = co_await resolve(std::move(conninfo), time, deadline);
  if (!address) co_return std::unexpected{address.error()};
  auto* started = PQconnectStartParams(address->keywords().data(), address->values().data(), 0);
  if (started == nullptr) co_return fail(Fault::unavailable, "connect: out of memory");
  std::unique_ptr<Connection> connection{new Connection{started, time}};
  auto const done = co_await connection->finish_handshake(deadline);
  if (!done) co_return std::unexpected{done.error()};
  co_return connection;
}

Async<Result<>> Connection::finish_handshake(base::Instant deadline) {
  auto* const pg = connection_.get();
  if (PQstatus(pg) == CONNECTION_BAD) co_return std::unexpected{lost("connect")};
  PQsetNoticeProcessor(pg, [](void*, char const*) {}, nullptr);
  auto next = PGRES_POLLING_WRITING;  // libpq: wait for writing before the first PQconnectPoll
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) co_return std::unexpected{lost("connect")};
    auto const what = next == PGRES_POLLING_READING ? Descriptor::wait_read : Descriptor::wait_write;
    auto const waited = co_await wait_for(what, deadline);
    if (!waited) co_return std::unexpected{waited.error()};
    next = PQconnectPoll(pg);
  }
  if (PQsetnonblocking(pg, 1) != 0) co_return std::unexpected{lost("connect")};
  co_return Result<>{};
}

Async<Result<Rows>> Connection::run(Query query, Params params, base::Instant deadline) {
  std::vector<char const*> values;
  values.reserve(params.size());
  for (auto const& param : params) values.push_back(param.text() ? param.text()->c_str() : nullptr);
  busy_ = true;
  int const sent = PQsendQueryParams(connection_.get(), query.text, static_cast<int>(values.size()), nullptr,
                                     values.data(), nullptr, nullptr, 0);
  if (sent == 0) co_return std::unexpected{lost(query.name)};
  auto const flushed = co_await flush(deadline);
  if (!flushed) co_return std::unexpected{flushed.error()};
  auto rows = co_await collect(query.name, deadline);
  co_return rows;
}

Async<Result<>> Connection::flush(base::Instant deadline) {
  for (;;) {
    int const left = PQflush(connection_.get());
    if (left == 0) co_return Result<>{};
    if (left < 0) co_return std::unexpected{lost("send")};
    auto const waited = co_await wait_for(Descriptor::wait_write, deadline);
    if (!waited) co_return std::unexpected{waited.error()};
  }
}

Async<Result<Rows>> Connection::collect(char const* query_name, base::Instant deadline) {
  auto* const pg = connection_.get();
  Result<Rows> outcome = fail(Fault::unavailable, fmt::format("{}: no answer", query_name));
  for (;;) {
    while (PQisBusy(pg)) {
      auto const waited = co_await wait_for(Descriptor::wait_read, deadline);
      if (!waited) co_return std::unexpected{waited.error()};
      if (PQconsumeInput(pg) == 0) co_return std::unexpected{lost(query_name)};
    }
    auto* const result = PQgetResult(pg);
    if (result == nullptr) break;
    auto const status = PQresultStatus(result);
    Rows rows{result};
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
      outcome = std::move(rows);
    } else {
      outcome = std::unexpected{error_from(result, query_name)};
      if (PQstatus(pg) == CONNECTION_BAD) co_return outcome;
    }
  }
  busy_ = false;
  co_return outcome;
}

Async<Result<>> Connection::wait_for(Descriptor::wait_type what, base::Instant deadline) {
  using namespace asio::experimental::awaitable_operators;
  auto stop = co_await asio::this_coro::cancellation_state;
  if (stop.cancelled() != asio::cancellation_type::none) co_return fail(Fault::cancelled, "database wait cancelled");
  int const current = PQsocket(connection_.get());
  if (!socket_ || watched_ != current) {
    // While connecting libpq may drop one socket and open the next, even under the same number: those are seen anew
    // each time.
    auto const executor = co_await asio::this_coro::executor;
    int const copy = ::fcntl(current, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) co_return fail(Fault::unavailable, fmt::format("database socket: {}", std::strerror(errno)));
    socket_.emplace(executor, copy);
    watched_ = PQstatus(connection_.get()) == CONNECTION_OK ? current : -1;
  }
  auto const first = co_await (ready(*socket_, what) || time_.wait_until(deadline));
  stop = co_await asio::this_coro::cancellation_state;
  if (stop.cancelled() != asio::cancellation_type::none) co_return fail(Fault::cancelled, "database wait cancelled");
  if (first.index() == 1) co_return fail(Fault::timed_out, "the database did not answer in time");
  if (auto const error = std::get<0>(first)) co_return fail(Fault::unavailable, "database socket: " + error.message());
  co_return Result<>{};
}

base::Error Connection::lost(char const* doing) const {
  return base::Error{Fault::unavailable, fmt::format("{}: {}", doing, first_line(PQerrorMessage(connection_.get())))};
}

bool Connection::usable() {
  auto* const pg = connection_.get();
  if (busy_ || PQstatus(pg) != CONNECTION_OK || PQtransactionStatus(pg) != PQTRANS_IDLE) return false;
  return PQconsumeInput(pg) == 1 && PQstatus(pg) == CONNECTION_OK;
}

}  // namespace crm::pg
