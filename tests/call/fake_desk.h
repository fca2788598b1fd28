#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/desk/desk.h"

namespace test {

/// A desk that answers what the test wants, as late as the test wants.
class FakeDesk final : public crm::Desk {
 public:
  explicit FakeDesk(base::TimeSource& time) : time_{time} {}

  base::Async<crm::DeskAnswer> handle(crm::DeskCaller caller, crm::DeskRequest request, base::Instant) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    callers.push_back(std::move(caller));
    requests.push_back(std::move(request));
    auto result = answer;
    if (takes == std::chrono::milliseconds{0}) co_return result;
    auto const waited = co_await time_.wait(takes);
    if (!waited) result = {R"({"ok":false,"reason":"unavailable"})", true, {}};  // nothing of it was written
    co_return result;
  }
  base::Async<bool> confirm(crm::DeskCaller caller, std::string appointment, base::Instant) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    callers.push_back(std::move(caller));
    asked_to_confirm.push_back(std::move(appointment));
    if (takes > std::chrono::milliseconds{0}) (void)co_await time_.wait(takes);
    co_return confirms;
  }
  base::Async<> release_holds(crm::DeskCaller caller, base::Instant) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    callers.push_back(std::move(caller));
    ++released;
    if (takes > std::chrono::milliseconds{0}) (void)co_await time_.wait(takes);
  }

  crm::DeskAnswer answer{R"({"ok":true})", false, {}};
  bool confirms = true;
  std::chrono::milliseconds takes{0};
  std::vector<crm::DeskCaller> callers;
  std::vector<crm::DeskRequest> requests;
  std::vector<std::string> asked_to_confirm;
  int released = 0;

 private:
  base::TimeSource& time_;
};

}  // namespace test
