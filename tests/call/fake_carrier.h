#pragma once
#include <functional>
#include <string>
#include <vector>

#include "gateway/call/carrier.h"
#include "gateway/call/record_sink.h"
#include "tests/call/fake_caller.h"

namespace test {

/// The carrier's side of a call beside its stream.
class FakeCarrier final : public gateway::Carrier {
 public:
  explicit FakeCarrier(base::TimeSource& time) : time_{time} {}

  base::Async<base::Result<>> hang_up(gateway::CarrierCall) override {
    ++hang_ups;
    if (answer_takes > milliseconds{0}) (void)co_await time_.wait(answer_takes);
    if (hang_up_result && on_hang_up) on_hang_up();
    co_return hang_up_result;
  }
  base::Async<base::Result<>> transfer(gateway::CarrierCall, std::string number, std::string caller_id) override {
    transfers.push_back(number + " as " + caller_id);
    if (answer_takes > milliseconds{0}) (void)co_await time_.wait(answer_takes);
    if (transfer_result && on_transfer) on_transfer();
    co_return transfer_result;
  }
  base::Async<base::Result<gateway::CarrierFacts>> look_up(gateway::CarrierCall) override {
    ++look_ups;
    if (answer_takes > milliseconds{0}) (void)co_await time_.wait(answer_takes);
    co_return facts;
  }

  base::Result<> hang_up_result;
  base::Result<> transfer_result;
  base::Result<gateway::CarrierFacts> facts = gateway::CarrierFacts{};
  milliseconds answer_takes{0};
  std::function<void()> on_hang_up;
  std::function<void()> on_transfer;
  int hang_ups = 0;
  int look_ups = 0;
  std::vector<std::string> transfers;

 private:
  base::TimeSource& time_;
};

/// Keeps every snapshot.
class FakeRecords final : public gateway::RecordSink {
 public:
  void save(crm::CallRecord snapshot) override {
    EXPECT_GT(snapshot.version, std::exchange(newest_[snapshot.call_sid.text()], snapshot.version));
    snapshots.push_back(std::move(snapshot));
  }
  std::size_t endings() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(snapshots, [](crm::CallRecord const& r) { return crm::is_terminal(r.status); }));
  }

  std::vector<crm::CallRecord> snapshots;

 private:
  std::map<std::string, std::int64_t> newest_;
};

}  // namespace test
