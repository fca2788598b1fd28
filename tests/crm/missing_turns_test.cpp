// A gateway was lost in the middle of a call: what its record lacks is taken from what the agent's provider tells.
#include "crm/outcome/missing_turns.h"

#include "tests/crm/settle_scene.h"

namespace {

using crm::Speaker;
using std::chrono::seconds;

class MissingTurns : public test::SettledTest {
 protected:
  static crm::CallTurn at(int second, crm::CallTurn turn) {
    turn.started_ms = std::int64_t{second} * 1000;
    return turn;
  }
  static crm::ToldTurn told(int second, Speaker role, std::string text, std::string original = {}) {
    bool const interrupted = !original.empty();
    return {role, std::move(text), std::move(original), interrupted, call().started_at + seconds{second}};
  }
  static std::string found(std::vector<crm::CallTurn> const& have, std::vector<crm::ToldTurn> const& told) {
    auto record = call();
    record.turns = have;
    std::string text;
    for (auto const& turn : crm::missing_turns(record, told)) {
      EXPECT_TRUE(turn.from_provider);
      EXPECT_EQ(turn.heard, turn.role == Speaker::caller ? turn.said : "");
      text += std::to_string(turn.started_ms) + (turn.role == Speaker::agent ? "a " : "c ") + turn.said + "|";
    }
    return text;
  }
  std::size_t complete(std::vector<crm::ToldTurn> told) {
    auto const work = [&](crm::pg::Transaction& transaction) {
      return crm::complete_lost_call(transaction, "conv_1", told);
    };
    auto const added = run(pool->transaction(work, soon()));
    EXPECT_TRUE(added) << added.error().detail;
    return added.value_or(0);
  }
  std::string turns() {
    return value(
        "select string_agg(ordinal || role || ' ' || said || '/' || heard || case when from_provider then '*' else "
        "'' end, '|' order by ordinal) from call_turns");
  }

  crm::CallTurn const hello = at(1, turn(Speaker::agent, "Hello, this is Acme.", "Hello, this is Acme."));
  crm::CallTurn const friday = at(4, turn(Speaker::caller, "Friday please", "Friday please"));
};

TEST_F(MissingTurns, follow_the_last_one_that_both_know) {
  EXPECT_EQ(found({hello, friday},
                  {told(0, Speaker::agent, "Hello, this is Acme."), told(4, Speaker::caller, "Friday, please."),
                   told(6, Speaker::agent, "Friday at ten?"), told(9, Speaker::caller, "Yes.")}),
            "6000a Friday at ten?|9000c Yes.|");
}

TEST_F(MissingTurns, are_none_when_the_record_is_whole) {
  EXPECT_EQ(found({hello, friday},
                  {told(0, Speaker::agent, "Hello, this is Acme."), told(3, Speaker::caller, "friday please")}),
            "");
  EXPECT_EQ(found({hello, friday}, {}), "");
}

TEST_F(MissingTurns, are_all_when_nothing_was_saved) {
  EXPECT_EQ(found({}, {told(1, Speaker::agent, "Hello."), told(2, Speaker::caller, "Hi.")}), "1000a Hello.|2000c Hi.|");
}

TEST_F(MissingTurns, are_told_by_time_where_the_words_differ) {
  EXPECT_EQ(found({hello, friday}, {told(1, Speaker::agent, "Good day."), told(4, Speaker::caller, "Fry day."),
                                    told(7, Speaker::agent, "At ten?")}),
            "7000a At ten?|");
}

TEST_F(MissingTurns, are_not_what_one_side_counts_as_two) {
  auto const both = at(6, turn(Speaker::agent, "One moment. I have ten o'clock.", ""));
  EXPECT_EQ(
      found({hello, friday, both}, {told(0, Speaker::agent, "Hello, this is Acme."),
                                    told(4, Speaker::caller, "Friday please"), told(6, Speaker::agent, "One moment."),
                                    told(8, Speaker::agent, "I have ten o'clock."), told(9, Speaker::caller, "Good.")}),
      "9000c Good.|");
}

TEST_F(MissingTurns, are_not_a_turn_whose_beginning_was_saved) {
  auto const begun = at(6, turn(Speaker::agent, "I have ten", "I have"));
  EXPECT_EQ(found({hello, begun},
                  {told(1, Speaker::agent, "Hello, this is Acme."),
                   told(6, Speaker::agent, "I have ten o'clock, and eleven."), told(12, Speaker::caller, "Ten.")}),
            "12000c Ten.|");
}

TEST_F(MissingTurns, are_not_an_interrupted_turn_whose_whole_text_is_known) {
  auto const whole = at(6, turn(Speaker::agent, "We are open from nine to five.", "We are"));
  EXPECT_EQ(found({hello, whole}, {told(1, Speaker::agent, "Hello, this is Acme."),
                                   told(6, Speaker::agent, "We are...", "We are open from nine to five."),
                                   told(8, Speaker::caller, "Stop.")}),
            "8000c Stop.|");
}

TEST_F(MissingTurns, are_added_once_to_a_call_whose_gateway_was_lost) {
  auto record = call();
  record.conversation_id = "conv_1";
  record.turns = {hello};
  write(record);
  std::vector const said{told(1, Speaker::agent, "Hello, this is Acme."), told(3, Speaker::caller, "Friday please"),
                         told(6, Speaker::agent, "At ten? Or", "At ten? Or at eleven?")};
  EXPECT_EQ(complete(said), 0U) << "it goes on";
  close(record);
  EXPECT_EQ(complete(said), 2U);
  auto const once = turns();
  EXPECT_EQ(once,
            "0agent Hello, this is Acme./Hello, this is Acme.|1caller Friday please/Friday please*|2agent At ten? Or "
            "at eleven?/*");
  EXPECT_EQ(complete(said), 0U);
  EXPECT_EQ(turns(), once);
  auto const read = stored("call_1");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->turns.at(2).from_provider);
  EXPECT_TRUE(read->turns.at(2).interrupted);
}

TEST_F(MissingTurns, are_not_looked_for_in_a_call_that_was_served_to_its_end) {
  auto record = ended(call());
  record.conversation_id = "conv_1";
  record.turns = {hello};
  write(record);
  EXPECT_EQ(complete({told(5, Speaker::caller, "Hi.")}), 0U);
}

}  // namespace
