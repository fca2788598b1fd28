#include "loadtest/sim/foreground.h"

namespace sim {

int exit_code_of(std::function<int()> const& run) {
  try {
    return run();
  } catch (WrongUsage const& wrong) {
    std::cerr << wrong.what() << "\n";
    return 2;
  } catch (std::exception const& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}

}  // namespace sim
