#include "crm/store/calls.h"

#include "crm/pg/storable_text.h"
#include "crm/store/contacts.h"
#include "tests/crm/call_scene.h"

namespace {

using crm::Blame;
using crm::CallStatus;
using crm::Speaker;
using test::sql;

class Calls : public test::BusinessTest {
 protected:
  bool close(crm::CallRecord const& record, CallStatus status, std::string ending) {
    crm::pg::Pool pool{settings(1), time};
    auto session = pool.until(soon());
    auto const at = record.started_at + std::chrono::seconds{31};
    auto const closed = run(crm::close_call(session, record.call_sid, status, std::move(ending), Blame::us, at));
    EXPECT_TRUE(closed) << closed.error().detail;
    return closed && *closed;
  }
};

TEST_F(Calls, come_back_as_they_were_saved) {
  auto record = ended(call());
  record.conversation_id = "conv_1";
  record.recording_path = "2026/call_1.wav";
  record.stream_count = 2;
  record.resumed = 1;
  record.turns = {turn(Speaker::agent, "How can I help you today?", "How can I"),
                  turn(Speaker::caller, "Grüß Gott", "Grüß Gott")};
  record.turns[0].event_id = 12;
  record.turns[0].interrupted = true;
  record.turns[0].heard_ms = 640;
  record.events = {{record.started_at, "answered", R"({"core": 1})"}};
  ASSERT_TRUE(save(record));
  for (auto const& name : {record.id.text(), record.call_sid.text()}) {
    auto const found = stored(name);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, record.id);
    EXPECT_EQ(found->call_sid, record.call_sid);
    EXPECT_EQ(found->status, CallStatus::completed);
    EXPECT_EQ(found->started_at, record.started_at);
    EXPECT_EQ(found->ended_at, record.ended_at);
    EXPECT_EQ(found->ending, "caller_hung_up");
    EXPECT_EQ(found->blame, Blame::caller);
    EXPECT_EQ(found->conversation_id, "conv_1");
    EXPECT_EQ(found->stream_count, 2);
    ASSERT_EQ(found->turns.size(), 2U);
    EXPECT_EQ(found->turns[0].heard, "How can I");
    EXPECT_EQ(found->turns[0].event_id, 12);
    EXPECT_EQ(found->turns[0].heard_ms, 640);
    EXPECT_EQ(found->turns[0].sent_ms, std::nullopt);
    EXPECT_TRUE(found->turns[0].interrupted);
    EXPECT_EQ(found->turns[1].role, Speaker::caller);
    EXPECT_EQ(found->turns[1].said, "Grüß Gott");
    ASSERT_EQ(found->events.size(), 1U);
    EXPECT_EQ(found->events[0].kind, "answered");
    EXPECT_EQ(found->events[0].at, record.started_at);
  }
}

TEST_F(Calls, are_not_overwritten_by_an_older_snapshot) {
  auto newer = call();
  newer.version = 5;
  newer.turns = {turn(Speaker::agent, "Hello", "Hello")};
  ASSERT_TRUE(save(newer));
  EXPECT_FALSE(save(call()));
  EXPECT_FALSE(save(newer));
  EXPECT_EQ(stored("call_1")->turns.size(), 1U);
}

TEST_F(Calls, lose_turns_that_a_newer_snapshot_no_longer_has) {
  auto record = call();
  record.turns = {turn(Speaker::agent, "a", "a"), turn(Speaker::agent, "b", "b")};
  ASSERT_TRUE(save(record));
  record.version = 2;
  record.turns = {turn(Speaker::agent, "a", "")};
  ASSERT_TRUE(save(record));
  auto const turns = stored("call_1")->turns;
  ASSERT_EQ(turns.size(), 1U);
  EXPECT_EQ(turns[0].heard, "");
}

TEST_F(Calls, end_only_once_whoever_comes_first) {
  auto const open = call();
  ASSERT_TRUE(save(open));
  EXPECT_TRUE(close(open, CallStatus::failed, "node_lost"));
  EXPECT_FALSE(close(open, CallStatus::completed, "again"));
  auto late = ended(open);
  late.turns = {turn(Speaker::caller, "hello", "hello")};
  EXPECT_TRUE(save(late));
  auto const found = stored("call_1");
  EXPECT_EQ(found->status, CallStatus::failed);
  EXPECT_EQ(found->ending, "node_lost");
  EXPECT_EQ(found->blame, Blame::us);
  EXPECT_EQ(found->duration_ms, 30'000);
  EXPECT_EQ(found->ended_at, open.started_at + std::chrono::seconds{31});
  EXPECT_EQ(found->turns.size(), 1U);
}

TEST_F(Calls, stay_ended_when_a_newer_snapshot_says_they_go_on) {
  auto const done = ended(call());
  ASSERT_TRUE(save(done));
  auto alive = call();
  alive.version = 9;
  EXPECT_TRUE(save(alive));
  EXPECT_EQ(stored("call_1")->status, CallStatus::completed);
  EXPECT_EQ(stored("call_1")->ended_at, done.ended_at);
}

TEST_F(Calls, that_were_begun_twice_keep_their_first_id) {
  ASSERT_TRUE(save(call()));
  auto again = call();
  again.id = base::CallId{"call_other"};
  again.version = 2;
  again.turns = {turn(Speaker::agent, "Hello", "Hello")};
  ASSERT_TRUE(save(again));
  EXPECT_FALSE(stored("call_other"));
  EXPECT_EQ(stored(again.call_sid.text())->id.text(), "call_1");
  EXPECT_EQ(stored("call_1")->turns.size(), 1U);
}

TEST_F(Calls, can_hold_whatever_was_said) {
  auto record = call();
  record.from = std::string{"anon\0ymous", 10};
  record.turns = {turn(Speaker::caller, "bad \xff utf8, nul \0 and \xed\xa0\x80", "'; drop table calls; --")};
  record.turns[0].said += std::string{"\0!", 2};
  record.events = {{record.started_at, "odd", "not json \xff"},
                   {record.started_at, "nul", R"({"a\u0000":["\u0000", 1]})"}};
  ASSERT_TRUE(save(record));
  auto const found = stored("call_1");
  EXPECT_EQ(found->from, "anon\uFFFDymous");
  EXPECT_EQ(found->turns[0].heard, "'; drop table calls; --");
  EXPECT_TRUE(found->turns[0].said.ends_with("\uFFFD!"));
  EXPECT_EQ(found->events.size(), 2U);
}

TEST_F(Calls, are_listed_newest_first_by_tenant_and_time) {
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(save(call(i)));
  crm::pg::Pool pool{settings(1), time};
  auto session = pool.until(soon());
  auto const all = run(crm::list_calls(session, {.tenant = {}, .since = {}, .limit = 2}));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].id.text(), "call_3");
  auto const others = run(crm::list_calls(session, {.tenant = base::TenantId{"ten_2"}, .since = {}}));
  EXPECT_TRUE(others->empty());
  auto const late = run(crm::list_calls(session, {.tenant = {}, .since = call(2).started_at}));
  EXPECT_EQ(late->size(), 2U);
}

TEST_F(Calls, that_an_earlier_life_of_the_node_left_open_are_found) {
  auto earlier = call(1);
  auto mine = call(2);
  mine.node_epoch = 8;
  auto elsewhere = call(3);
  elsewhere.node = "n2";
  auto over = ended(call(4));
  for (auto const& record : {earlier, mine, elsewhere, over}) ASSERT_TRUE(save(record));
  crm::pg::Pool pool{settings(1), time};
  auto session = pool.until(soon());
  auto const orphans = run(crm::open_calls_of_other_epochs(session, "n1", 8));
  ASSERT_TRUE(orphans);
  ASSERT_EQ(orphans->size(), 1U);
  EXPECT_EQ((*orphans)[0].id.text(), "call_1");
}

TEST_F(Calls, find_their_caller_among_the_contacts) {
  crm::pg::Pool pool{settings(1), time};
  auto session = pool.until(soon());
  crm::Contact const ada{crm::ContactId{"con_1"}, base::TenantId{"ten_1"}, "Ada", "+15550002222"};
  ASSERT_TRUE(run(crm::insert_contact(session, ada)));
  auto const found = run(crm::find_contact_by_phone(session, ada.tenant, ada.phone_e164));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->full_name, "Ada");
  EXPECT_FALSE(*run(crm::find_contact_by_phone(session, ada.tenant, "+15550003333")));
  auto const twice = run(crm::insert_contact(session, {crm::ContactId{"con_2"}, ada.tenant, "Bob", ada.phone_e164}));
  EXPECT_EQ(twice.error().fault, base::Fault::conflict);
}

TEST(StorableText, keeps_utf8_and_replaces_the_rest) {
  using crm::pg::storable_text;
  EXPECT_EQ(storable_text("aé€😀"), "aé€😀");
  EXPECT_EQ(storable_text("\xc3"), "\uFFFD");
  EXPECT_EQ(storable_text("\xc0\x80"), "\uFFFD\uFFFD");
  EXPECT_EQ(storable_text("\xf4\x90\x80\x80x"), "\uFFFD\uFFFD\uFFFD\uFFFDx");
  EXPECT_EQ(storable_text(std::string_view{"a\0b", 3}), "a\uFFFDb");
}

}  // namespace
