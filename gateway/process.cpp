#include "gateway/process.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "crm/database.h"
#include "crm/desk/front_desk.h"
#include "crm/journal/posix_files.h"
#include "crm/ledger.h"
#include "crm/outcome/settle.h"
#include "crm/routing.h"
#include "crm/store/calls.h"
#include "crm/store/contacts.h"
#include "gateway/after_call.h"
#include "gateway/agent/agents.h"
#include "gateway/base/background.h"
#include "gateway/core.h"
#include "gateway/descriptor_budget.h"
#include "gateway/net/descriptors.h"
#include "gateway/orphans.h"
#include "gateway/process_metrics.h"
#include "gateway/twilio/rest.h"
#include "gateway/web/operations.h"
#include "gateway/web/routes.h"
#include "media/frame.h"
#include "media/resampler.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view node_name = "n1";
constexpr auto contact_limit = milliseconds{150};
constexpr auto earlier_call_limit = milliseconds{300};
constexpr auto ledger_limit = seconds{10};
constexpr auto outbox_grace = seconds{5};  // for deliveries under way; the rest waits for the next start
constexpr auto revive_every = seconds{2};
constexpr auto replay_limit = seconds{5};
constexpr auto look_every = seconds{1};  // at the database; also how long a look may take

std::int64_t epoch_now() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::size_t core_count(config::Settings const& settings) {
  if (settings.cores > 0) return settings.cores;
  return std::max(1U, std::thread::hardware_concurrency());
}

/// Tickets live for a minute and die with the process, so their key need not survive it.
base::Secret ticket_key() {
  std::array<std::uint8_t, 32> bytes{};
  base::fill_random(bytes);
  return base::Secret{std::string{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
}

net::Url checked_url(std::string const& text) {
  auto url = net::parse_url(text);
  if (!url) throw std::runtime_error{"PUBLIC_BASE_URL is not a URL: " + url.error().detail};
  return *url;
}

std::string stream_base(net::Url const& public_base) {
  auto text = net::to_string(public_base.with_scheme(public_base.is_secure() ? "wss" : "ws"));
  while (text.ends_with('/')) text.pop_back();
  return text;
}

twilio::Accounts accounts_of(config::Twilio const& twilio) {
  twilio::Accounts::Account account{base::AccountSid{twilio.account_sid}, {twilio.auth_token}};
  if (!twilio.auth_token_secondary.empty()) account.tokens.push_back(twilio.auth_token_secondary);
  return twilio::Accounts{{std::move(account)}};
}

AgentSettings agent_settings(config::Settings const& settings) {
  AgentSettings agents;
  agents.elevenlabs.api_base_url = settings.elevenlabs.api_base_url;
  agents.elevenlabs.api_key = settings.elevenlabs.api_key;
  agents.elevenlabs.origin = settings.elevenlabs.origin;
  agents.elevenlabs.start_budget = settings.media.agent_wait;
  return agents;
}

CallSettings call_settings(config::Settings const& settings, std::int64_t epoch) {
  CallSettings call;
  call.bridge.playout.lead = settings.media.playout_lead;
  call.bridge.playout.message_frames = settings.media.message_frames;
  call.bridge.dead_air = settings.media.dead_air_after;
  call.longest = settings.media.max_call_duration;
  call.node = node_name;
  call.epoch = epoch;
  return call;
}

/// The filters of a rate pair are computed at its first use; not in the middle of somebody's call.
void warm_resamplers() {
  for (std::uint32_t const rate : {16000U, 22050U, 24000U, 44100U, 48000U}) {
    media::Resampler const up{media::telephone_rate, rate};
    media::Resampler const down{rate, media::telephone_rate};
  }
}

crm::journal::JournalSettings journal_settings(config::Journal const& journal) {
  constexpr std::uint64_t mib = 1U << 20U;
  return {.limits = {.segment_bytes = journal.reserve_mib * mib, .most_bytes = journal.limit_mib * mib}};
}

std::unique_ptr<crm::journal::Files> journal_files(std::filesystem::path const& data_dir) {
  using crm::journal::PosixFiles;
  return std::make_unique<PosixFiles>(data_dir / "journal", PosixFiles::Access::sole);
}

crm::pg::PoolSettings pool_settings(std::string const& conninfo, std::size_t size) {
  crm::pg::PoolSettings settings;
  settings.conninfo = conninfo;
  settings.size = size;
  return settings;
}

/// What the settings ask for, as far as the system lets this process have descriptors.
Room room_of(config::Settings const& settings, base::Log const& log) {
  Room const wish{settings.limits.max_calls, settings.limits.max_sockets, settings.limits.max_unproven};
  auto const cores = core_count(settings);
  auto const needed = descriptors_for(wish, cores);
  auto const descriptors = net::raise_descriptor_limit(needed);
  if (descriptors >= needed) return wish;
  auto const room = fit_into(descriptors, wish, cores);
  if (room.calls < wish.calls)
    log.warning("SWITCHBOARD_MAX_CALLS is more than the limit of open descriptors is enough for; raise ulimit -n",
                {{"max_calls", wish.calls}, {"calls", room.calls}, {"descriptors", descriptors}, {"needed", needed}});
  else
    log.info("descriptors are enough for all calls, not for all other connections",
             {{"connections", room.sockets}, {"descriptors", descriptors}, {"needed", needed}});
  return room;
}

/// The media cores share their port, and any other process of the same user could share it too and get half of the
/// calls: so the port is first asked for alone. Throws a sentence that names the setting.
void must_be_free(std::string const& address, std::uint16_t port, char const* setting) {
  using asio::ip::tcp;
  asio::io_context context;
  tcp::acceptor acceptor{context};
  tcp::endpoint const endpoint{asio::ip::make_address(address), port};
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1, error);
  if (!error) return;
  auto const why = error == asio::error::address_in_use ? "another program listens there" : error.message();
  throw std::runtime_error{fmt::format("{}: cannot listen on {} port {}: {}; stop that program or set another {}",
                                       setting, address, port, why, setting)};
}

/// Lets calls write to the ledger without knowing of databases.
class LedgerRecords final : public RecordSink {
 public:
  explicit LedgerRecords(crm::CallLedger& ledger) : ledger_{ledger} {}
  void save(crm::CallRecord snapshot) override { ledger_.save(std::move(snapshot)); }

 private:
  crm::CallLedger& ledger_;
};

}  // namespace

struct Process::Parts {
  Parts(config::Settings s, base::Log l)
      : settings{std::move(s)},
        log{std::move(l)},
        room{room_of(settings, log)},
        database{crm::open_database(settings, crm::pg::Purpose::serve)},
        back_office_tasks{
            back_office.get_executor(),
            [this](std::string const& what) { log.error("back office task crashed", {{"error", what}}); }},
        back_office_pool{pool_settings(database.conninfo, 4), time},
        journal{journal_files(settings.data_dir), journal_settings(settings.journal), log, metrics},
        ledger{back_office.get_executor(), back_office_pool, time, log, metrics},
        routing{back_office_pool, time, log, metrics},
        tls{net::make_tls_client(settings.extra_ca)},
        public_base{checked_url(settings.http.public_base_url)},
        accounts{accounts_of(settings.twilio)},
        verifier{public_base},
        tickets{ticket_key()},
        http{settings.extra_ca},
        rest{http, accounts, settings.twilio.api_base_url, settings.http.public_base_url, metrics, log},
        recordings{settings.recording.directory, metrics, log},
        call_metrics{metrics},
        stream_metrics{metrics},
        voice_metrics{metrics},
        capacity{room.calls},
        orphans{back_office_pool,
                rest,
                time,
                log,
                std::string{node_name},
                epoch,
                {[this](std::string id) { return after_call.end_of_conversation(std::move(id)); },
                 [this] { after_call.call_was_lost(); }}},
        after_call{{settings, back_office.get_executor(), back_office_pool, pool_settings(database.conninfo, 4), time,
                    http, accounts, verifier, metrics, log}} {
    auto made = make_agent_provider("elevenlabs", agent_settings(settings), {http, *tls, time, metrics, log});
    if (!made) throw std::runtime_error{made.error().detail};
    agents = std::move(*made);
    metrics.before_exposing([this] { process_metrics.refresh(); });
    ledger.keep_in(journal);
    ledger.when_settled([this] { after_call.ring(); });
    asio::post(chores, base::stand_behind_media);
    warm_resamplers();
    if (!settings.http.tls_cert.empty()) certificate.emplace(settings.http.tls_cert, settings.http.tls_key);
    build_cores();
    build_routes();
  }

  void build_cores() {
    auto const each = [count = core_count(settings)](std::size_t all) { return std::max<std::size_t>(all / count, 1); };
    net::HttpLimits limits;
    limits.connections = each(room.sockets);
    limits.unproven = {each(room.unproven), each(settings.limits.max_unproven_of_address)};
    limits.descriptor_reserve = descriptor_reserve;
    for (std::size_t i = 0; i < core_count(settings); ++i) {
      auto core = std::make_unique<Core>(i, pool_settings(database.conninfo, 2), metrics, settings.limits.max_lag, log);
      auto& pool = core->database();
      auto& clock = core->time();
      CallServices services{clock,
                            core->metronome(),
                            *agents,
                            rest,
                            ledger_records,
                            recordings,
                            call_metrics,
                            log,
                            call_settings(settings, epoch),
                            {}};
      services.known_contact = [&pool, &clock](base::TenantId tenant, std::string phone) -> base::Async<std::string> {
        auto const look = [&](crm::pg::Transaction& session) -> base::Async<base::Result<std::optional<crm::Contact>>> {
          auto found = co_await crm::find_contact_by_phone(session, tenant, phone);
          co_return found;
        };
        auto contact = co_await pool.transaction_of(tenant, look, clock.now() + contact_limit);
        co_return contact && *contact ? (*contact)->full_name : std::string{};
      };
      core->desk = std::make_unique<crm::FrontDesk>(pool, clock, log, metrics);
      services.desk = core->desk.get();
      core->calls = std::make_unique<Calls>(core->executor(), std::move(services), capacity, core->loop_watch());
      core->server = std::make_unique<net::HttpServer>(core->executor(), clock, log, metrics, router, limits,
                                                       certificate ? &*certificate : nullptr);
      twilio::DoorSettings door{settings.media.preauth_timeout, settings.media.idle_timeout};
      core->media_door = std::make_unique<twilio::MediaDoor>(verifier, accounts, tickets, *core->calls,
                                                             core->server->lobby(), clock, stream_metrics, log, door);
      homes.add({core->executor(), core->calls.get()});
      cores.push_back(std::move(core));
    }
  }

  void build_routes() {
    twilio::VoiceRecords records;
    records.find = [this](base::CallSid sid) -> base::Async<std::optional<crm::CallRecord>> {
      auto& core = *cores[homes.index_of(sid)];
      auto session = core.database().until(core.time().now() + earlier_call_limit);
      auto found = co_await crm::find_call(session, sid.text());
      co_return found ? std::move(*found) : std::nullopt;
    };
    records.close = [this](base::CallSid sid, crm::CallStatus status) {
      asio::post(back_office,
                 [this, sid = std::move(sid), status] { back_office_tasks.spawn(close_unserved(sid, status)); });
    };
    voice.emplace(twilio::VoiceServices{settings.http.public_base_url, stream_base(public_base), verifier, accounts,
                                        tickets, routing, homes, time, voice_metrics, log, std::move(records),
                                        std::string{node_name}});
    web::add_public_routes(router, *voice, [this](net::PendingUpgrade pending) -> base::Async<> {
      auto& core = *cores[twilio::core_of_media_path(pending.request().path(), cores.size())];
      auto const shared = std::make_shared<net::PendingUpgrade>(std::move(pending));
      asio::post(core.executor(), [&core, shared] { core.tasks().spawn(core.media_door->serve(std::move(*shared))); });
      co_return;
    });
    after_call.add_routes(router);
    web::add_operations(ops_router, [this] { return health(); }, metrics);
    // The operator must get in when nobody else does.
    net::HttpLimits limits;
    limits.descriptor_reserve = descriptor_reserve / 4;
    ops = std::make_unique<net::HttpServer>(back_office.get_executor(), time, log, metrics, ops_router, limits);
  }

  /// A callback about a call that an earlier process served; if the database is away now, the orphan sweep finds it
  /// later. Its true ending may wait in the journal, so that goes first.
  base::Async<> close_unserved(base::CallSid sid, crm::CallStatus status) {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    (void)co_await (ledger.caught_up() || time.wait(replay_limit));
    if (!ledger.is_caught_up()) co_return;
    auto const close = [&](crm::pg::Transaction& transaction) {
      return crm::close_and_settle(transaction, sid, status, std::string{to_string(Ending::node_lost)},
                                   blame(Ending::node_lost), time.wall());
    };
    auto const closed = co_await back_office_pool.transaction(close, time.now() + seconds{5});
    if (closed && *closed) after_call.call_was_lost();
    if (!closed)
      log.warning("status of an earlier call not written", {{"fault", base::to_string(closed.error().fault)}});
  }

  /// What the journal knows of a call's end is better than what the sweep would write.
  base::Async<> sweep_orphans() {
    co_await ledger.caught_up();
    co_await orphans.run();
  }

  base::Async<> first_look() {
    auto loaded = co_await routing.refresh(time.now() + seconds{10});
    if (!loaded) throw std::runtime_error{"phone numbers could not be read: " + loaded.error().detail};
  }

  /// Our own PostgreSQL may be killed under us: start it again, off the event loops.
  base::Async<> keep_database_alive() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      auto const waited = co_await time.wait(revive_every);
      if (!waited) co_return;
      asio::post(chores, [this] {
        try {
          if (!stopping && database.server->revive()) log.warning("private PostgreSQL had died and was started again");
        } catch (std::exception const& error) {
          log.error("private PostgreSQL cannot be started", {{"error", error.what()}});
        }
      });
    }
  }

  base::Async<> watch_database() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      auto looked = co_await back_office_pool.run({"is_database_there", "select 1"}, {}, time.now() + look_every);
      database_up = looked.has_value();
      auto const waited = co_await time.wait(look_every);
      if (!waited) co_return;
    }
  }

  void note_certificate(std::string_view event) const {
    log.info(event, {{"file", settings.http.tls_cert.string()}, {"expires", base::iso8601(certificate->expires())}});
  }

  web::Health health() const {
    web::Health now;
    now.draining = stopping;
    now.ready = serving && !stopping;
    now.database = database_up;
    now.calls = capacity.live();
    now.numbers = routing.table()->size();
    now.records_waiting = ledger.pending();
    auto const kept = journal.state();
    now.journal_records = kept.records;
    now.journal_bytes = kept.bytes;
    now.journal_fails = kept.failing;
    now.journal_reserved = kept.reserved;
    return now;
  }

  config::Settings settings;
  base::Log log;
  Room room;
  std::int64_t epoch = epoch_now();
  base::Metrics metrics;
  ProcessMetrics process_metrics{metrics};
  base::SystemTime time;
  crm::Database database;
  asio::thread_pool chores{1};
  asio::io_context back_office{1};
  base::TaskGroup back_office_tasks;
  crm::pg::Pool back_office_pool;
  crm::journal::Journal journal;
  crm::CallLedger ledger;
  LedgerRecords ledger_records{ledger};
  crm::RoutingFeed routing;
  std::shared_ptr<net::TlsClient> tls;
  net::Url public_base;
  twilio::Accounts accounts;
  twilio::SignatureVerifier verifier;
  twilio::TicketOffice tickets;
  net::HttpClient http;
  twilio::Rest rest;
  RecordingDesk recordings;
  CallMetrics call_metrics;
  twilio::StreamMetrics stream_metrics;
  twilio::VoiceMetrics voice_metrics;
  Capacity capacity;
  OrphanSweep orphans;
  AfterCall after_call;
  std::unique_ptr<AgentProvider> agents;
  Homes homes;
  net::Router router;
  net::Router ops_router;
  std::optional<twilio::VoiceRoutes> voice;
  std::optional<net::TlsServer> certificate;
  std::vector<std::unique_ptr<Core>> cores;
  std::unique_ptr<net::HttpServer> ops;
  std::thread back_office_thread;
  std::atomic<bool> serving = false;
  std::atomic<bool> stopping = false;
  std::atomic<bool> database_up = true;
};

Process::Process(config::Settings settings, base::Log log)
    : parts_{std::make_unique<Parts>(std::move(settings), std::move(log))} {}

Process::~Process() {
  if (parts_->serving) stop(milliseconds{0});
}

Addresses Process::start() {
  auto& p = *parts_;
  must_be_free(p.settings.http.address, p.settings.http.port, "PORT");
  must_be_free(p.settings.ops.address, p.settings.ops.port, "SWITCHBOARD_OPS_PORT");
  Addresses addresses;
  addresses.public_port = p.settings.http.port;
  for (auto& core : p.cores)
    addresses.public_port = core->server->listen(p.settings.http.address, addresses.public_port);
  addresses.ops_port = p.ops->listen(p.settings.ops.address, p.settings.ops.port);

  p.back_office_thread = std::thread{[&p] {
    base::stand_behind_media();
    auto const work = asio::make_work_guard(p.back_office);
    p.back_office.run();
  }};
  p.serving = true;
  try {
    asio::co_spawn(p.back_office, p.first_look(), asio::use_future).get();
  } catch (...) {
    stop(milliseconds{0});
    throw;
  }
  asio::co_spawn(
      p.back_office,
      [&p]() -> base::Async<> {
        p.back_office_tasks.spawn(p.ledger.write());
        p.back_office_tasks.spawn(p.routing.follow());
        p.back_office_tasks.spawn(p.sweep_orphans());
        p.back_office_tasks.spawn(p.watch_database());
        p.back_office_tasks.spawn(p.ops->serve());
        p.after_call.start(p.back_office_tasks);
        if (p.database.server) p.back_office_tasks.spawn(p.keep_database_alive());
        co_return;
      },
      asio::use_future)
      .get();
  for (auto& core : p.cores) core->start();
  if (p.certificate) p.note_certificate("certificate loaded");
  p.log.info("ready", {{"port", addresses.public_port},
                       {"ops_port", addresses.ops_port},
                       {"cores", p.cores.size()},
                       {"numbers", p.routing.table()->size()}});
  return addresses;
}

bool Process::stop(milliseconds grace) {
  auto& p = *parts_;
  if (!p.serving) return true;
  p.stopping = true;
  p.capacity.stop();
  p.log.info("draining", {{"calls", p.capacity.live()}, {"grace_ms", grace.count()}});
  std::vector<std::thread> drains;
  for (auto& core : p.cores) drains.emplace_back([&core, grace] { core->drain_calls(grace); });
  for (auto& drain : drains) drain.join();
  bool const safe =
      asio::co_spawn(p.back_office, p.ledger.drain(p.time.now() + ledger_limit), asio::use_future).get().has_value();
  asio::co_spawn(p.back_office, p.after_call.drain(outbox_grace), asio::use_future).get();
  if (!safe)
    p.log.error("records not written", {{"count", p.ledger.pending()}});
  else if (p.ledger.pending() > 0)
    p.log.warning("records left in the journal for the next start", {{"count", p.ledger.pending()}});
  for (auto& core : p.cores) core->stop();
  asio::co_spawn(
      p.back_office,
      [&p]() -> base::Async<> {
        p.ops->stop();
        co_await p.ops->drain(milliseconds{200});
        co_await p.back_office_tasks.drain(p.time, milliseconds{0});
        p.back_office_pool.close();
      },
      asio::use_future)
      .get();
  p.chores.join();
  p.back_office.stop();
  p.back_office_thread.join();
  if (p.database.server) p.database.server->stop();
  p.serving = false;
  p.log.info("stopped");
  p.log.flush();
  return safe;
}

void Process::hurry() {
  for (auto& core : parts_->cores) core->hurry();
}

void Process::reload_certificate() {
  auto& p = *parts_;
  if (!p.certificate) return p.log.info("no certificate to reload: SWITCHBOARD_TLS_CERT is not set");
  auto const reloaded = p.certificate->reload();
  if (reloaded)
    p.note_certificate("certificate reloaded");
  else
    p.log.error("certificate not reloaded; the old one stays", {{"why", reloaded.error().detail}});
}

std::size_t Process::live_calls() const {
  return parts_->capacity.live();
}

}  // namespace gateway
