#pragma once
// The HubSpot adapter and the fake HubSpot on one thread, over real sockets. The clock stands still until a test moves
// it; only the adapter's patience with one request is real.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "crm/adapters/hubspot/hubspot.h"
#include "loadtest/sim/crm/hubspot_sim.h"
#include "tests/support/manual_time.h"

namespace crm::hubspot {

using namespace std::chrono_literals;
using Fault = ::sim::crm::HubSpotFault;
using Kind = DeliveryFault::Kind;

inline constexpr auto token = "pat-na1-sim";

struct HubSpotScene {
  explicit HubSpotScene(ApiVersion version = ApiVersion::dated_2026_09, ::sim::crm::HubSpotSim::Options options = {})
      : sim{io.get_executor(), time, roomy(std::move(options))}, adapter{http, time, settings(version)} {}

  /// Runs `story(scene)` until it ends.
  template <class Story>
  void play(Story story) {
    asio::co_spawn(io, sim.serve(), [](std::exception_ptr) {});
    asio::co_spawn(io, tell(story), [](std::exception_ptr crash) {
      if (crash) std::rethrow_exception(crash);
    });
    io.run();
  }

  base::Instant soon() const { return time.now() + 60s; }
  auto& records(std::string const& type) { return sim.store().objects(type); }
  ::sim::crm::HubSpotObject const* record(std::string const& type, std::string const& key_property,
                                          std::string const& key) {
    return sim.store().find(type, key, key_property);
  }
  std::size_t requests(std::string const& method, std::string const& part) const {
    std::size_t found = 0;
    for (auto const& seen : sim.seen()) found += seen.method == method && seen.target.find(part) != std::string::npos;
    return found;
  }
  std::uint64_t add_contact(::sim::crm::Fields fields) {
    auto const created = sim.store().create("contacts", std::move(fields));
    EXPECT_TRUE(created.has_value());
    return created ? (*created)->id : 0;
  }

  static CrmContact contact(std::string const& key) {
    CrmContact contact;
    contact.key = key;
    contact.first_name = "Ada";
    contact.last_name = "Lovelace";
    contact.email = key + "@example.com";
    contact.phone = "+15551230000";
    return contact;
  }
  static CrmCall call(std::string const& key) {
    CrmCall call;
    call.key = key;
    call.from = "+15551230000";
    call.to = "+15559870000";
    call.started_at = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + 9h;
    call.duration = 83s;
    call.status = "completed";
    call.outcome = "appointment_booked";
    call.summary = "Cleaning on Monday.";
    return call;
  }
  static CrmAppointment appointment(std::string const& key) {
    CrmAppointment appointment;
    appointment.key = key;
    appointment.title = "Cleaning";
    appointment.starts_at = std::chrono::sys_days{std::chrono::year{2026} / 3 / 9} + 9h;
    appointment.ends_at = appointment.starts_at + 30min;
    appointment.status = "confirmed";
    return appointment;
  }
  static CrmLead lead(std::string const& key) {
    CrmLead lead;
    lead.key = key;
    lead.business_name = "Acme Plumbing";
    lead.status = "new";
    return lead;
  }

  asio::io_context io{1};
  test::ManualTime time;
  net::HttpClient http;
  ::sim::crm::HubSpotSim sim;
  HubSpot adapter;

 private:
  static ::sim::crm::HubSpotSim::Options roomy(::sim::crm::HubSpotSim::Options options) {
    if (options.burst == 190) options.burst = 1'000'000;
    return options;
  }
  Settings settings(ApiVersion version) {
    sim.listen();
    Settings made;
    made.base_url = sim.base_url();
    made.token = base::Secret{token};
    made.version = version;
    made.request_timeout = 2s;
    return made;
  }
  template <class Story>
  base::Async<> tell(Story& story) {
    std::exception_ptr crash;
    try {
      co_await story(*this);
    } catch (...) {
      crash = std::current_exception();
    }
    sim.stop();
    co_await sim.drain(0s);
    if (crash) std::rethrow_exception(crash);
  }
};

}  // namespace crm::hubspot
