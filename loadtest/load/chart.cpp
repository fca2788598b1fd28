#include "loadtest/load/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sim::load {
namespace {

constexpr double width = 720;
constexpr double height = 300;
constexpr double left = 64;
constexpr double right = 32;
constexpr double top = 34;
constexpr double bottom = 68;
constexpr double legend_row = 20;
constexpr int colours = 6;

/// From numbers to places in the drawing.
struct Axis {
  double from = 0;
  double to = 1;
  double at_from = 0;
  double at_to = 1;
  double operator()(double value) const { return at_from + (value - from) / (to - from) * (at_to - at_from); }
};

bool drawable(Point const& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

/// 1, 2 or 5 times a power of ten, so that about five steps fit.
double round_step(double span) {
  auto const rough = span / 5;
  auto const power = std::pow(10, std::floor(std::log10(rough)));
  for (auto const factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10 * power;
}

std::vector<Tick> round_ticks(double from, double to) {
  std::vector<Tick> ticks;
  auto const step = round_step(to - from);
  auto const first = std::ceil(from / step - 1e-9);
  for (int i = 0; i <= 10; ++i) {
    auto const at = (first + i) * step;
    if (at > to + step * 1e-9) break;
    ticks.push_back({at, fmt::format("{:g}", std::abs(at) < step * 1e-9 ? 0.0 : at)});
  }
  return ticks;
}

/// "0.01", "1", "1000" at their logarithms.
std::vector<Tick> powers_of_ten(double from, double to) {
  std::vector<Tick> ticks;
  for (int power = static_cast<int>(from); power <= static_cast<int>(to); ++power)
    ticks.push_back({static_cast<double>(power), fmt::format("{:g}", std::pow(10, power))});
  return ticks;
}

/// What is drawn: without the points that cannot be, and with logarithms where they are asked for.
Chart prepared(Chart chart) {
  for (auto& curve : chart.curves) {
    if (chart.y_is_logarithmic)
      for (auto& point : curve.points) point.y = std::log10(point.y);
    std::erase_if(curve.points, [](Point const& point) { return !drawable(point); });
  }
  return chart;
}

struct Frame {
  Axis x{0, 1, left, width - right};
  Axis y{0, 1, height - bottom, top};
};

Frame frame_around(Chart const& chart) {
  double x_from = 0;
  double x_to = std::numeric_limits<double>::lowest();
  double y_from = std::numeric_limits<double>::max();
  double y_to = std::numeric_limits<double>::lowest();
  auto const widen = [&](double x) {
    x_from = std::min(x_from, x);
    x_to = std::max(x_to, x);
  };
  for (auto const& tick : chart.x_ticks) widen(tick.at);
  for (auto const& curve : chart.curves)
    for (auto const& point : curve.points) {
      widen(point.x);
      y_from = std::min(y_from, point.y);
      y_to = std::max(y_to, point.y);
    }
  Frame frame;
  frame.x.from = x_from;
  frame.x.to = x_to > x_from ? x_to : x_from + 1;
  if (chart.y_is_logarithmic) {
    frame.y.from = std::floor(y_from);
    frame.y.to = std::max(std::ceil(y_to), frame.y.from + 1);
  } else {
    // Values of zero only still get an axis, and the highest point stays below the title.
    frame.y.to = y_to > 0 ? y_to * 1.05 : 1;
  }
  return frame;
}

void add_text(std::string& out, double x, double y, std::string_view anchor, std::string_view text) {
  out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", x, y, anchor, escaped(text));
}

void add_axes(std::string& out, Chart const& chart, Frame const& frame) {
  auto const& y_axis = frame.y;
  auto const y_ticks =
      chart.y_is_logarithmic ? powers_of_ten(y_axis.from, y_axis.to) : round_ticks(y_axis.from, y_axis.to);
  for (auto const& tick : y_ticks) {
    auto const y = frame.y(tick.at);
    out += fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}H{:.1f}"/>)", left, y, width - right);
    add_text(out, left - 6, y + 4, "end", tick.text);
  }
  auto const ticks = chart.x_ticks.empty() ? round_ticks(frame.x.from, frame.x.to) : chart.x_ticks;
  for (auto const& tick : ticks) {
    auto const x = frame.x(tick.at);
    out += fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}V{:.1f}"/>)", x, top, height - bottom);
    add_text(out, x, height - bottom + 16, "middle", tick.text);
  }
  add_text(out, left, top - 8, "start", chart.y_name);
  add_text(out, width - right, height - bottom + 32, "end", chart.x_name);
}

void add_curve(std::string& out, Curve const& curve, Frame const& frame, int colour) {
  if (curve.dots) {
    for (auto const& point : curve.points)
      out += fmt::format(R"(<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="4"/>)", colour, frame.x(point.x),
                         frame.y(point.y));
    return;
  }
  std::string path;
  for (auto const& point : curve.points)
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.x(point.x), frame.y(point.y));
  if (!path.empty())
    out += fmt::format(R"(<path class="line c{}{}" d="{}"/>)", colour, curve.dashed ? " dashed" : "", path);
}

/// Below the drawing, in as many rows as are needed; says how many.
int add_legend(std::string& out, Chart const& chart) {
  double x = left;
  int row = 0;
  int colour = -1;
  for (auto const& curve : chart.curves) {
    ++colour;
    if (curve.points.empty()) continue;
    // No script measures the text: 7 units a letter is what the font takes at most.
    auto const length = 44 + 7 * static_cast<double>(curve.name.size());
    if (x > left && x + length > width) {
      x = left;
      ++row;
    }
    auto const y = height - 12 + row * legend_row;
    if (curve.dots)
      out += fmt::format(R"(<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="4"/>)", colour % colours, x + 9, y);
    else
      out += fmt::format(R"(<path class="line c{}{}" d="M{:.1f} {:.1f}h18"/>)", colour % colours,
                         curve.dashed ? " dashed" : "", x, y);
    add_text(out, x + 24, y + 4, "start", curve.name);
    x += length;
  }
  return row + 1;
}

bool is_forbidden_in_xml(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

/// Length of the well-formed UTF-8 sequence at the front that XML allows, or 0.
std::size_t sequence_length(std::string_view text) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto const lead = byte(0);
  if (lead < 0x80) return is_forbidden_in_xml(lead) ? 0 : 1;
  std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  bool const overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  bool const surrogate = lead == 0xED && byte(1) >= 0xA0;
  bool const beyond = lead == 0xF4 && byte(1) >= 0x90;
  bool const no_character = lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;
  return overlong || surrogate || beyond || no_character ? 0 : length;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto const length = sequence_length(text);
    auto const piece = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else if (piece == "<")
      out += "&lt;";
    else if (piece == ">")
      out += "&gt;";
    else if (piece == "&")
      out += "&amp;";
    else if (piece == "\"")
      out += "&quot;";
    else
      out += piece;
    text.remove_prefix(piece.size());
  }
  return out;
}

std::string svg(Chart const& asked) {
  auto const chart = prepared(asked);
  auto const title = escaped(chart.title);
  if (std::ranges::all_of(chart.curves, [](Curve const& curve) { return curve.points.empty(); }))
    return "<p>" + title + ": not measured.</p>\n";
  auto const frame = frame_around(chart);
  auto inside = fmt::format(R"(<text class="title" x="{}" y="14">{}</text>)", left, title);
  add_axes(inside, chart, frame);
  int colour = 0;
  for (auto const& curve : chart.curves) add_curve(inside, curve, frame, colour++ % colours);
  auto const rows = add_legend(inside, chart);
  return fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>)", width,
                     height + (rows - 1) * legend_row, title, inside) +
         "\n";
}

}  // namespace sim::load
