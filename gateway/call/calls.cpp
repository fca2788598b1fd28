#include "gateway/call/calls.h"

namespace gateway {

std::optional<Refusal> Capacity::take(base::TenantId const& tenant, int most_of_tenant) {
  std::scoped_lock const lock{mutex_};
  if (stopped_) return Refusal::draining;
  if (live_ >= most_calls_) return Refusal::full;
  auto& count = by_tenant_[tenant];
  if (count >= most_of_tenant) return Refusal::tenant_full;
  ++count;
  ++live_;
  return std::nullopt;
}

void Capacity::give_back(base::TenantId const& tenant) {
  std::scoped_lock const lock{mutex_};
  --live_;
  auto const found = by_tenant_.find(tenant);
  if (found != by_tenant_.end() && --found->second <= 0) by_tenant_.erase(found);
}

void Capacity::stop() {
  std::scoped_lock const lock{mutex_};
  stopped_ = true;
}

bool Capacity::is_stopped() const {
  std::scoped_lock const lock{mutex_};
  return stopped_;
}

std::size_t Capacity::live() const {
  std::scoped_lock const lock{mutex_};
  return live_;
}

Calls::Calls(asio::any_io_executor executor, CallServices services, Capacity& capacity, LoopWatch const& loop)
    : executor_{executor}, services_{std::move(services)}, capacity_{capacity}, loop_{loop}, tasks_{executor} {}

Call* Calls::find(base::CallSid const& sid) {
  auto const found = calls_.find(sid);
  return found == calls_.end() ? nullptr : found->second.get();
}

std::expected<Call*, Refusal> Calls::begin(CallPlan plan) {
  if (auto* const running = find(plan.sid)) return running;
  if (auto const refusal = take_place(plan)) return std::unexpected{*refusal};
  auto const sid = plan.sid;
  auto call = std::make_unique<Call>(std::move(plan), services_, executor_);
  auto* const started = call.get();
  calls_.emplace(sid, std::move(call));
  tasks_.spawn(live(*started));
  return started;
}

std::optional<Refusal> Calls::take_place(CallPlan const& plan) {
  bool const new_caller = !plan.earlier;
  if (new_caller && loop_.is_overloaded() && !capacity_.is_stopped()) return Refusal::overloaded;
  return capacity_.take(plan.route->tenant, plan.route->max_concurrent_calls);
}

base::Async<> Calls::live(Call& call) {
  co_await call.run();
  auto const sid = call.plan().sid;
  capacity_.give_back(call.plan().route->tenant);
  forget(sid);
}

void Calls::forget(base::CallSid const& sid) {
  calls_.erase(sid);
  auto const now = services_.time.now();
  auto const hash = std::hash<base::CallSid>{}(sid);
  if (ended_.insert(hash).second) ended_order_.emplace_back(now, hash);
  while (ended_order_.size() > most_remembered || ended_order_.front().first + remembered_for < now) {
    ended_.erase(ended_order_.front().second);
    ended_order_.pop_front();
  }
}

base::Async<> Calls::drain(base::TimeSource::Clock::duration grace) {
  auto const deadline = services_.time.now() + grace;
  while (!calls_.empty() && !hurried_ && services_.time.now() < deadline)
    (void)co_await services_.time.wait_until(std::min(deadline, services_.time.now() + std::chrono::milliseconds{100}));
  for (auto const& [sid, call] : calls_) call->shut_down();
  // Each shut-down call ends by its own short limits; cancelling comes only when one of them fails to.
  co_await tasks_.drain(services_.time, std::chrono::seconds{15});
}

}  // namespace gateway
