#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sim::load {

struct Point {
  double x = 0;
  double y = 0;
};

struct Curve {
  std::string name;
  std::vector<Point> points;  ///< by x
  bool dashed = false;
  bool dots = false;  ///< the points themselves instead of a line between them
};

struct Tick {
  double at = 0;
  std::string text;
};

/// A drawing of curves over one pair of axes.
struct Chart {
  std::string title;
  std::string x_name;
  std::string y_name;
  std::vector<Curve> curves;
  std::vector<Tick> x_ticks;      ///< empty: round numbers
  bool y_is_logarithmic = false;  ///< points at zero and below are then left out
};

/// An <svg> element for HTML: no script, no outside reference, colours by the classes c0 to c5 of the page's style. A
/// chart without a point says so in words.
std::string svg(Chart const& chart);

/// Text as it may stand between tags and in attributes. Characters that XML forbids become U+FFFD.
std::string escaped(std::string_view text);

}  // namespace sim::load
