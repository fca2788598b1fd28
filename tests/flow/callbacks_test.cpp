// What the carrier says about a call may come twice, late or shuffled.
#include "tests/flow/scene.h"

namespace flow {
namespace {

class Callbacks : public FlowTest {
 protected:
  static void expect_one_ending(crm::CallRecord const& record) {
    EXPECT_EQ(record.status, crm::CallStatus::completed);
    EXPECT_EQ(record.ending, "caller_hung_up");
    EXPECT_EQ(record.blame, crm::Blame::caller);
    EXPECT_EQ(std::ranges::count(record.events, "ended", &crm::CallEvent::kind), 1);
  }
};

TEST_F(Callbacks, leave_one_terminal_state_however_they_arrive) {
  auto const number = scene().hire(agent_saying(words("Hello.", 1s)));
  scene().open();
  std::vector<PlacedCall> calls;
  std::vector<sim::twilio::CallbackFaults> const faults{{},
                                                        {.duplicated = true},
                                                        {.reordered = true},
                                                        {.late_by = 1500ms},
                                                        {.duplicated = true, .reordered = true, .late_by = 700ms}};
  for (bool const outbound : {false, true}) {
    for (auto const& fault : faults) {
      auto plan = scene().plan(number);
      plan.callbacks = fault;
      plan.caller.hang_up_after = 1500ms;
      if (outbound) {
        plan.direction = sim::twilio::Direction::outbound_api;
        std::swap(plan.from, plan.to);
        plan.status_events = {"initiated", "ringing", "answered", "completed"};
      }
      calls.push_back(scene().place(std::move(plan)));
    }
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_TRUE(calls[i].result().clean());
    auto const record = scene().record(calls[i].sid());
    expect_one_ending(record);
    EXPECT_EQ(record.direction, i < faults.size() ? crm::CallDirection::inbound : crm::CallDirection::outbound);
  }
  EXPECT_EQ(scene().records(), calls.size());
}

TEST_F(Callbacks, that_contradict_the_first_terminal_one_change_nothing) {
  auto const number = scene().hire(agent_saying(words("Hello.", 1s)));
  scene().open();
  auto plan = scene().plan(number);
  plan.caller.hang_up_after = 1s;
  auto const call = scene().place(plan);
  call.result();
  auto const before = scene().record(call.sid());
  for (auto const* status : {"failed", "in-progress", "ringing", "busy", "completed", "no-such-status"}) {
    auto form = scene().voice_form(call.sid(), number);
    for (auto& [name, value] : form)
      if (name == "CallStatus") value = status;
    form.emplace_back("CallbackSource", "call-progress-events");
    EXPECT_EQ(scene().post("/api/twilio/status-callback", form).status, 204U) << status;
  }
  auto const after = scene().record(call.sid());
  expect_one_ending(after);
  EXPECT_EQ(after.ended_at, before.ended_at);
  EXPECT_EQ(after.version, before.version);
}

TEST_F(Callbacks, about_calls_that_nobody_knows_are_taken_and_forgotten) {
  auto const number = scene().hire(agent_saying(words("Hello.")));
  scene().open();
  auto form = scene().voice_form(sim::twilio::new_sid("CA"), number);
  for (auto& [name, value] : form)
    if (name == "CallStatus") value = "completed";
  EXPECT_EQ(scene().post("/api/twilio/status-callback", form).status, 204U);
  EXPECT_EQ(scene().records(), 0U);
}

}  // namespace
}  // namespace flow
