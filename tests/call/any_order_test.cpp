// Calls in which everything happens in any order: what must hold all the same.
#include <random>
#include <set>

#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallScene;
using test::StreamDiary;
using test::voice_of;

/// One call under a schedule drawn from a seed. The carrier behaves as carriers do: when its stream ends or a document
/// is through it asks for the next step and follows it; its status callbacks are lost, doubled and shuffled.
class AnyCall : public CallScene {
 public:
  explicit AnyCall(unsigned seed) : random_{seed}, desk_dice_{seed} {
    has_desk = true;
    desk.confirms = desk_dice_() % 4 != 0;
    manners.one_way = milliseconds{one_of({0, 20, 60, 150})};
    manners.close_takes = milliseconds{one_of({0, 0, 300, 900})};
    manners.echoes_marks = chance(95);
    agents.close_takes = milliseconds{one_of({0, 0, 300, 900})};
    agents.ready_at_once = chance(90);
    carrier.answer_takes = milliseconds{one_of({0, 0, 50, 1500, 12000})};
    plan_agent->transfer_numbers = {"+14155550100"};
    plan_agent->fallback_number = "+14155550109";
    plan_agent->fallback = std::array{crm::FallbackKind::forward, crm::FallbackKind::voicemail,
                                      crm::FallbackKind::apology}[static_cast<std::size_t>(below(3))];
    plan_agent->max_duration = seconds{one_of({5, 3600, 3600})};
    if (chance(10)) carrier.hang_up_result = base::fail(base::Fault::unavailable, "");
    if (chance(30))
      carrier.transfer_result = base::fail(chance(50) ? base::Fault::refused : base::Fault::unavailable, "");
    if (chance(5)) carrier.facts = base::fail(base::Fault::unavailable, "");
    carrier.on_hang_up = [this] { hangs_up(); };
    carrier.on_transfer = [this] { dials(); };
  }

  void happens() {
    begins();
    after(below(1500), [this] { opens_a_stream(); });
    auto const events = 40 + below(80);
    for (int i = 0; i < events && !is_over(); ++i) {
      something_happens();
      lasts(milliseconds{one_of({0, 0, 10, 20, 50, 100, 300, 700})});
      if (chance(1)) lasts(seconds{9});
    }
    if (chance(20) && call())
      call()->shut_down();
    else if (chance(80))
      hangs_up();
    else if (agents.newest)
      agents.newest->ends(AgentLegEnd::Kind::finished);
    for (int i = 0; i < 4000 && !is_over(); ++i) lasts(milliseconds{100});
  }

  void holds() {
    EXPECT_TRUE(is_over()) << "the call did not end";
    EXPECT_EQ(records.endings(), 1U);
    EXPECT_TRUE(crm::is_terminal(record().status)) << "the ending is not the last word";
    EXPECT_TRUE(record().ending && record().blame);
    EXPECT_EQ(capacity.live(), 0U);
    EXPECT_EQ(agents.newest, nullptr) << "an agent was left behind";
    std::size_t clears = 0;
    for (auto const& line : lines) {
      clears += line.clears();
      EXPECT_TRUE(line.is_over) << "a stream was left behind";
      auto const lead = settings.bridge.playout.lead + settings.bridge.playout.message_frames * media::frame_duration;
      EXPECT_LE(line.most_queued, lead);
    }
    EXPECT_EQ(clears, interruptions_with_a_stream_);
    EXPECT_FALSE(stale_audio_sent()) << "audio of an interrupted turn followed its clear";
    // Each stream that broke took the way to the carrier with it, and a step of the clock.
    auto const unknowable = static_cast<int>(lines.size()) * (manners.one_way + step);
    for (auto const& snapshot : records.snapshots) {
      for (auto const& turn : snapshot.turns) {
        if (turn.role == crm::Speaker::caller) continue;
        EXPECT_LE(*turn.heard_ms, *turn.sent_ms);
        EXPECT_LE(*turn.sent_ms, *turn.generated_ms);
        EXPECT_LE(*turn.heard_ms, milliseconds_played(*turn.event_id) + unknowable.count());
      }
    }
    EXPECT_LE(desk.released, 1);
    EXPECT_EQ(desk.released == 1, !desk.requests.empty());
    std::set<std::string> answered;
    for (auto const& tool : record().tool_calls) {
      if (tool.name == "book_appointment") EXPECT_TRUE(answered.insert(tool.tool_call_id).second) << "answered twice";
    }
    EXPECT_EQ(answered.size(), tools_asked_) << "a tool was forgotten";
    // Late words find nothing to harm.
    auto const snapshots = records.snapshots.size();
    status(crm::CallStatus::completed);
    passes(seconds{1});
    EXPECT_EQ(records.snapshots.size(), snapshots);
  }

 private:
  int below(int bound) { return std::uniform_int_distribution{0, bound - 1}(random_); }
  bool chance(int percent) { return below(100) < percent; }
  int one_of(std::vector<int> const& values) {
    return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
  }

  // ---- the carrier's mind
  void after(int ms, std::function<void()> what) { plans_.emplace(time.now() + milliseconds{ms}, std::move(what)); }
  void lasts(milliseconds length) {
    for (auto left = length; left > milliseconds{0}; left -= step) {
      passes(step);
      if (chance(50) && stream && stream->is_running())
        stream->says(chance(30) ? loud : 0xFF, static_cast<std::size_t>(one_of({160, 160, 160, 37, 400})));
      notices_the_end_of_a_stream();
      while (!plans_.empty() && plans_.begin()->first <= time.now()) {
        auto const next = plans_.extract(plans_.begin());
        next.mapped()();
        run();
      }
    }
  }
  void opens_a_stream() {
    if (hung_up_) return;
    streaming_ = true;
    stream_starts();
  }
  void notices_the_end_of_a_stream() {
    if (!streaming_ || (stream && stream->is_running())) return;
    streaming_ = false;
    if (!hung_up_ && !dialling_) after(below(800), [this] { asks(); });
  }
  void asks() {
    if (hung_up_ || !call()) return;
    if (chance(3)) return hangs_up();  // the answer was lost, and the carrier gives up
    follows(call()->next_step());
  }
  void follows(NextStep const& next) {
    switch (next.what) {
      case NextStep::Do::stream:
        after(below(1200), [this] { opens_a_stream(); });
        return;
      case NextStep::Do::forward:
        return dials();
      case NextStep::Do::voicemail:
        after(below(60000), [this] {
          if (!hung_up_ && call()) follows(call()->after_voicemail());
        });
        return;
      case NextStep::Do::hang_up:
      case NextStep::Do::apologise:
        after(below(3000), [this] { hangs_up(); });
        return;
    }
  }
  void dials() {
    dialling_ = true;
    if (stream) stream->ends(CallerLegEnd::stopped);
    after(1 + below(40000), [this] {
      dialling_ = false;
      if (hung_up_ || !call()) return;
      follows(call()->after_dial(std::array{DialEnd::completed, DialEnd::busy, DialEnd::no_answer,
                                            DialEnd::failed}[static_cast<std::size_t>(below(4))]));
    });
  }
  void hangs_up() {
    if (std::exchange(hung_up_, true)) return;
    if (stream) stream->ends(chance(80) ? CallerLegEnd::stopped : CallerLegEnd::lost);
    if (carrier.facts) carrier.facts = CarrierFacts{crm::CallStatus::completed, seconds{5}};
    for (int i = below(4); i > 0; --i) {  // none at all is possible, too
      after(below(3000), [this] {
        if (call())
          call()->on_status(chance(60) ? crm::CallStatus::completed : crm::CallStatus::in_progress, std::nullopt);
      });
    }
  }

  // ---- what may happen
  void something_happens() {
    auto* const speaker = agents.newest && agents.newest->is_running() ? agents.newest : nullptr;
    if (speaker && desk_dice_() % 8 == 0) asks_the_desk(*speaker);
    switch (below(26)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return speaks(speaker, /*anew=*/true);
      case 5:
      case 6:
      case 7:
        return speaks(speaker, /*anew=*/false);
      case 8:
      case 9:
        return interrupts(speaker);
      case 10:
        if (speaker) speaker->events().on_agent_turn_complete(newest_turn_);
        break;
      case 11:
        if (speaker && newest_turn_ > interrupted_)
          speaker->events().on_agent_text(newest_turn_, "some words that were said");
        break;
      case 12:
        if (speaker) speaker->events().on_caller_text(newest_turn_, "an answer");
        break;
      case 13:
        if (speaker) speaker->events().on_agent_correction(newest_turn_, "some words that were said", "some words");
        break;
      case 14:
        if (stream) stream->presses(chance(80) ? '5' : '#');
        break;
      case 15:
        if (speaker) speaker->becomes_ready({"conv_x", agents.format, agents.format}), ++readies_;
        break;
      case 16:
        if (chance(40) && stream) stream->ends(CallerLegEnd::lost);
        break;
      case 17:
        if (chance(40) && speaker)
          speaker->ends(one_of({0, 1}) ? AgentLegEnd::Kind::lost : AgentLegEnd::Kind::finished);
        break;
      case 18:
        if (chance(20) && speaker) speaker->ends(chance(50) ? AgentLegEnd::Kind::refused : AgentLegEnd::Kind::quota);
        break;
      case 19:
        if (speaker)
          speaker->events().on_tool_call({"t", chance(70) ? "unknown" : "transfer_to_number", chance(80) ? "{}" : "["});
        break;
      case 20:
        if (speaker && chance(20)) speaker->events().on_tool_call({"t", "end_call", "{}"});
        break;
      case 21:
        if (call()) call()->on_status(crm::CallStatus::in_progress, std::nullopt);
        break;
      case 22:
        if (stream) stream->refuses = chance(30);
        break;
      case 23:
        if (chance(10)) hangs_up();
        break;
      case 24:
        if (chance(10) && !hung_up_) stream_starts();  // one that nobody asked for
        break;
      case 25:
        if (chance(5) && call())
          call()->shut_down();
        else if (speaker && chance(30))
          speaker->events().on_queue(chance(50) ? QueueState::waiting : QueueState::admitted);
        break;
    }
    run();
  }
  /// Turns are numbered through all conversations of a call, so that audio of an interrupted turn is stale for good.
  void notices_a_new_conversation() {
    auto const now = agents.diaries.size() + readies_;
    if (std::exchange(conversation_, now) != now) before_conversation_ = newest_turn_;
  }
  void asks_the_desk(test::FakeAgent& speaker) {
    auto const id = std::to_string(++tools_asked_);
    desk.takes = milliseconds{std::array{0, 0, 30, 700, 30'000}[desk_dice_() % 5]};
    desk.answer = {R"({"ok":true})", false, {}};
    if (desk_dice_() % 2 == 0) desk.answer.to_read_back = "apt_" + std::to_string(desk_dice_() % 3);
    speaker.events().on_tool_call({id, "book_appointment", R"({"start":"2026-01-06T10:00"})"});
    run();
  }
  void speaks(test::FakeAgent* speaker, bool anew) {
    if (!speaker || newest_turn_ >= 110) return;
    notices_a_new_conversation();
    if (anew || newest_turn_ == before_conversation_) ++newest_turn_;
    auto const turn = chance(90) ? newest_turn_ : std::max(before_conversation_ + 1, newest_turn_ - below(3));
    auto const bytes = static_cast<std::size_t>(one_of({1, 100, 160, 333, 1600, 8000, 24000}));
    SpokenAlignment const alignment{{"a", "b"}, {0, 10}};
    speaker->sends(turn, std::vector<std::uint8_t>(bytes, voice_of(turn)), chance(30) ? &alignment : nullptr);
  }
  void interrupts(test::FakeAgent* speaker) {
    notices_a_new_conversation();
    if (!speaker || newest_turn_ == before_conversation_) return;
    auto const turn = std::max(before_conversation_ + 1, newest_turn_ - (chance(80) ? 0 : below(3)));
    interruptions_with_a_stream_ += stream && stream->is_running() ? 1 : 0;
    speaker->events().on_interruption(turn);
    interrupted_ = std::max(interrupted_, turn);
    Interruption interruption{turn, {}};
    for (auto const& line : lines) interruption.messages_before.push_back(line.messages.size());
    past_.push_back(std::move(interruption));
  }
  bool stale_audio_sent() const {
    for (auto const& [turn, messages_before] : past_) {
      for (std::size_t i = 0; i < lines.size(); ++i) {
        auto const& messages = lines[i].messages;
        for (auto at = i < messages_before.size() ? messages_before[i] : 0; at < messages.size(); ++at) {
          for (auto const code : messages[at].audio) {
            if (code <= voice_of(turn)) return true;
          }
        }
      }
    }
    return false;
  }

  std::int64_t milliseconds_played(std::int64_t event_id) const {
    std::int64_t bytes = 0;
    for (auto const& line : lines) bytes += line.bytes_played[voice_of(event_id)];
    return bytes / 8;
  }

  struct Interruption {
    std::int64_t turn;
    std::vector<std::size_t> messages_before;  // on each line
  };
  std::mt19937 random_;
  std::mt19937 desk_dice_;  // of its own, so that what else happens stays what it was
  std::size_t tools_asked_ = 0;
  std::multimap<base::Instant, std::function<void()>> plans_;
  std::vector<Interruption> past_;
  std::size_t conversation_ = 0;
  std::size_t readies_ = 0;
  std::int64_t before_conversation_ = 0;
  std::int64_t newest_turn_ = 0;
  std::int64_t interrupted_ = 0;
  std::size_t interruptions_with_a_stream_ = 0;
  bool streaming_ = false;
  bool dialling_ = false;
  bool hung_up_ = false;
};

TEST(AnyOrderOfThings, leaves_every_call_with_one_end_and_an_honest_record) {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    AnyCall call{seed};
    call.happens();
    call.holds();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace gateway
