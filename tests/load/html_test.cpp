#include "loadtest/load/html.h"

#include <gtest/gtest.h>

#include <limits>

#include "loadtest/load/chart.h"
#include "tests/load/sample_figures.h"
#include "tests/twiml/xmllint.h"

namespace {

using sim::load::html;
using sim::load::Report;

/// A search with every kind of text that could break the page.
Report awkward_report() {
  Report report{900, {test::good_figures(), test::good_figures(), test::good_figures()}};
  report.runs[0].settings.label = "<script>alert(1)</script>";
  report.runs[1].machine.cpu_model = "\x01 & \"CPU\" \xFF\xED\xA0\x80 \xC3\xA9";
  report.runs[1].problems = {"]]> </body> & <img src=x onerror=y>"};
  report.runs[2].generator.was_bottleneck = true;
  report.runs[2].generator.why = "it was <slow>";
  report.runs[2].moments.clear();
  report.runs[2].to_agent.latency = {};
  return report;
}

/// What libxml2 reads: HTML's DOCTYPE names no DTD, so only the form is judged.
bool is_well_formed(std::string const& page) {
  return test::xmllint_refuses({page}) == 0;
}

TEST(LoadHtml, is_well_formed_whatever_the_texts_are) {
  if (!test::xmllint_is_installed()) GTEST_SKIP() << "xmllint (libxml2-utils) is not installed";
  EXPECT_TRUE(is_well_formed(html(test::good_report())));
  EXPECT_TRUE(is_well_formed(html(awkward_report())));
  EXPECT_TRUE(is_well_formed(html({})));
}

TEST(LoadHtml, needs_nothing_from_outside_and_runs_nothing) {
  for (auto const& page : {html(test::good_report()), html(awkward_report())})
    for (auto const* foreign :
         {"http://", "https://", "//cdn", "<script", "src=\"", "href=", "url(", "@import", "<img", "<iframe", "<link"})
      EXPECT_EQ(page.find(foreign), std::string::npos) << foreign;
}

TEST(LoadHtml, follows_the_readers_light_or_dark) {
  auto const page = html(test::good_report());
  EXPECT_NE(page.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_EQ(page.find("stroke=\"#"), std::string::npos) << "a colour outside the style would stay light in the dark";
}

TEST(LoadHtml, draws_every_chart_of_a_run) {
  auto const page = html(test::good_report());
  for (auto const* title : {"Added latency by percentile", "Pacing error", "Interruption to clear", "CPU over time",
                            "Memory of the target over time", "Calls over time", "p99 of each second"})
    EXPECT_NE(page.find(title), std::string::npos) << title;
  EXPECT_EQ(page.find("Calls against p99"), std::string::npos);
  EXPECT_EQ(page.find("not measured"), std::string::npos);
}

TEST(LoadHtml, sets_calls_against_p99_when_there_are_several_runs) {
  Report report{std::nullopt, {test::good_figures(), test::good_figures()}};
  report.runs[1].settings.calls = 1800;
  auto const page = html(report);
  EXPECT_NE(page.find("Calls against p99"), std::string::npos);
  EXPECT_NE(page.find(">1,800<"), std::string::npos);
}

TEST(LoadHtml, shows_each_figure_with_its_unit_and_marks_what_must_be_zero) {
  auto report = test::good_report();
  report.runs[0].to_caller.frames.lost = 17;
  auto const page = html(report);
  EXPECT_NE(page.find("<td>agent to caller, lost</td><td class=\"bad\">17</td>"), std::string::npos);
  EXPECT_NE(page.find("<td>caller to agent, lost</td><td>0</td>"), std::string::npos);
  EXPECT_NE(page.find("<td>cpu, per caller frame</td><td>21.0 us</td>"), std::string::npos);
}

TEST(LoadHtml, says_when_its_figures_are_worth_nothing) {
  EXPECT_NE(html(awkward_report()).find("the generator was the bottleneck: it was &lt;slow&gt;"), std::string::npos);
}

TEST(LoadChart, says_in_words_that_there_is_nothing_to_draw) {
  EXPECT_EQ(sim::load::svg({"A & B", "x", "y", {{"empty", {}}}, {}}), "<p>A &amp; B: not measured.</p>\n");
}

TEST(LoadChart, leaves_out_points_that_are_no_numbers) {
  auto const nan = std::numeric_limits<double>::quiet_NaN();
  auto const infinite = std::numeric_limits<double>::infinity();
  auto const drawing = sim::load::svg({"t", "x", "y", {{"c", {{0, 1}, {1, nan}, {infinite, 2}, {2, 3}}}}, {}});
  EXPECT_EQ(drawing.find("nan"), std::string::npos);
  EXPECT_EQ(drawing.find("inf"), std::string::npos);
}

TEST(LoadChart, keeps_all_points_inside_the_drawing) {
  auto const drawing = sim::load::svg({"t", "x", "y", {{"c", {{-5, 0}, {5, 1e9}}, false, true}}, {}});
  EXPECT_NE(drawing.find(R"(<circle class="dot c0" cx="64.0" cy="232.0")"), std::string::npos) << drawing;
  EXPECT_NE(drawing.find(R"(cx="688.0")"), std::string::npos) << drawing;
}

TEST(LoadChart, gives_each_power_of_ten_the_same_room_on_a_logarithmic_axis) {
  auto const drawing =
      sim::load::svg({"t", "x", "y", {{"c", {{0, 0.1}, {1, 1}, {2, 10}, {3, 0}}, false, true}}, {}, true});
  for (auto const* place : {R"(cx="64.0" cy="232.0")", R"(cx="376.0" cy="133.0")", R"(cx="688.0" cy="34.0")"})
    EXPECT_NE(drawing.find(place), std::string::npos) << place << drawing;
  for (auto const* tick : {">0.1<", ">1<", ">10<"}) EXPECT_NE(drawing.find(tick), std::string::npos) << tick;
}

TEST(LoadChart, breaks_a_long_legend_into_rows_and_leaves_out_what_has_no_point) {
  std::string const name(40, 'n');
  sim::load::Curve const curve{name, {{0, 1}}};
  auto const drawing = sim::load::svg({"t", "x", "y", {curve, {"nothing", {}}, curve, curve}, {}});
  EXPECT_NE(drawing.find(R"(viewBox="0 0 720 320")"), std::string::npos) << drawing;
  EXPECT_EQ(drawing.find("nothing"), std::string::npos);
}

TEST(LoadChart, replaces_what_xml_forbids) {
  EXPECT_EQ(sim::load::escaped("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_EQ(sim::load::escaped(std::string_view{"\0\x1F\t\n", 4}), "\xEF\xBF\xBD\xEF\xBF\xBD\t\n");
  EXPECT_EQ(sim::load::escaped("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(sim::load::escaped("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(sim::load::escaped("\xEF\xBF\xBF"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
