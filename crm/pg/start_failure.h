#pragma once
#include <stdexcept>

namespace crm::pg {

/// The database cannot be had at start-up; what() is one sentence for the person who started us.
class StartFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace crm::pg
