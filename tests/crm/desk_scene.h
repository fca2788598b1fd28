#pragma once
#include <nlohmann/json.hpp>

#include "crm/desk/front_desk.h"
#include "tests/crm/call_scene.h"

namespace test {

/// The machine's time, but a day of our choice.
class ChosenDay final : public base::TimeSource {
 public:
  explicit ChosenDay(Wall wall) : wall_{wall} {}
  base::Instant now() const override { return machine_.now(); }
  Wall wall() const override { return wall_; }
  base::Async<base::Result<>> wait_until(base::Instant when) override { return machine_.wait_until(when); }
  void passes(std::chrono::minutes span) { wall_ += span; }

 private:
  base::SystemTime machine_;
  Wall wall_;
};

/// A dentist in New York, Monday 2 March 2026, eight in the morning; open from nine to noon and from one to five.
class DeskTest : public BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    sql(conninfo,
        "update tenants set slot_minutes = 60, lead_minutes = 60, booking_days = 60, opening_hours = "
        "'{\"mon\": [[\"09:00\", \"12:00\"], [\"13:00\", \"17:00\"]], \"tue\": [[\"09:00\", \"12:00\"]], "
        "\"wed\": [[\"09:00\", \"12:00\"]]}'");
    sql(conninfo,
        "insert into integrations (tenant_id, id, provider, name) values ('ten_1', 'int_1', 'webhook', 'Hook')");
    auto database = settings(8);
    database.patience = milliseconds{100};
    pool.emplace(database, day);
    desk.emplace(*pool, day, base::Log::silent(), metrics);
  }
  void TearDown() override {
    desk.reset();
    pool.reset();
  }

  static crm::DeskCaller caller(int number = 1) {
    auto digits = std::to_string(2222 + number - 1);
    return {.tenant = base::TenantId{"ten_1"},
            .call = base::CallId{"call_" + std::to_string(number)},
            .person = "+1555000" + digits,
            .our_number = "+15550001111"};
  }
  static crm::DeskCaller withheld(int number = 1) {
    auto who = caller(number);
    who.person = "anonymous";
    return who;
  }

  crm::DeskAnswer answer(crm::DeskCaller who, std::string tool, nlohmann::json const& parameters,
                         std::string const& id) {
    crm::DeskRequest request{.tool = std::move(tool), .tool_call_id = id, .parameters_json = parameters.dump()};
    return run(desk->handle(std::move(who), std::move(request), soon()));
  }
  /// Each request has an id of its own unless it is given one.
  nlohmann::json ask(crm::DeskCaller who, std::string tool, nlohmann::json const& parameters = nlohmann::json::object(),
                     std::string id = "") {
    if (id.empty()) id = "ask_" + std::to_string(++asked);
    return nlohmann::json::parse(answer(std::move(who), std::move(tool), parameters, id).json);
  }
  nlohmann::json ask(std::string tool, nlohmann::json const& parameters = nlohmann::json::object(),
                     std::string id = "") {
    return ask(caller(), std::move(tool), parameters, std::move(id));
  }
  bool confirm(std::string const& appointment, crm::DeskCaller who = caller()) {
    return run(desk->confirm(std::move(who), appointment, soon()));
  }
  void release_holds(crm::DeskCaller who = caller()) { run(released(std::move(who))); }

  std::string count(std::string const& what) { return sql(conninfo, "select count(*) from " + what); }
  std::string value(std::string const& what) { return sql(conninfo, "select " + what); }

  ChosenDay day{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::hours{13}};
  base::Metrics metrics;
  std::optional<crm::pg::Pool> pool;
  std::optional<crm::FrontDesk> desk;
  int asked = 0;

 private:
  base::Async<bool> released(crm::DeskCaller who) {
    co_await desk->release_holds(std::move(who), soon());
    co_return true;
  }
};

}  // namespace test
