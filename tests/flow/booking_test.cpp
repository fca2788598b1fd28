// An appointment made on the telephone: from the agent's first look at the calendar to what stands in it afterwards.
#include <gmock/gmock.h>

#include "tests/flow/receptionist.h"

namespace flow {
namespace {

using sim::elevenlabs::ToolRecord;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> tools_of(ConversationRecord const& conversation) {
  std::vector<std::string> names;
  for (auto const& tool : conversation.tools) {
    names.push_back(tool.name);
    EXPECT_FALSE(tool.is_error) << tool.name << ": " << tool.result;
    EXPECT_EQ(tool.state, ToolRecord::State::answered) << tool.name;
  }
  return names;
}

std::vector<std::string> events_of(crm::CallRecord const& record) {
  std::vector<std::string> kinds;
  for (auto const& event : record.events) kinds.push_back(event.kind);
  return kinds;
}

class Booking : public FlowTest {};

TEST_F(Booking, stands_confirmed_in_the_calendar_when_the_caller_has_heard_it_read_back) {
  auto const number = scene().hire(receptionist());
  scene().open();
  auto const call = scene().place(asking(scene().plan(number)));
  auto const& result = call.result();
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.ending, CallEnding::hung_up_by_rest);
  auto const conversation = scene().conversations(number).at(0);
  EXPECT_THAT(tools_of(conversation), ElementsAre("lookup_caller", "find_slots", "book_appointment"));
  EXPECT_THAT(conversation.tools.at(2).result, HasSubstr("\"ok\":true"));
  EXPECT_THAT(events_of(scene().record(call.sid())), Contains("appointment_confirmed"));
  EXPECT_EQ(scene().value("select count(*) from appointments"), "1");
  EXPECT_EQ(scene().value("select status from appointments"), "confirmed");
  EXPECT_EQ(scene().value("select count(*) from appointments a join calls c on c.id = a.call_id and c.tenant_id = "
                          "a.tenant_id"),
            "1");
}

TEST_F(Booking, stays_unconfirmed_when_the_caller_hangs_up_on_the_read_back) {
  auto agent = receptionist();
  std::get<Say>(agent.turns.at(1).reply.back()).audio.length = 10s;
  auto const number = scene().hire(std::move(agent));
  scene().open();
  auto const call = scene().place(asking(scene().plan(number)));
  EXPECT_TRUE(scene().agent_comes_to(number, [](ConversationRecord const& conversation) {
    return conversation.tools.size() == 3 && conversation.tools[2].state == ToolRecord::State::answered;
  }));
  scene().hang_up(call);
  call.result();
  EXPECT_THAT(events_of(scene().record(call.sid())), Not(Contains("appointment_confirmed")));
  EXPECT_EQ(scene().value("select status from appointments"), "unconfirmed");
}

}  // namespace
}  // namespace flow
