#pragma once
#include "crm/journal/segments.h"

namespace crm::journal {

/// What is in a journal's folder.
struct Survey {
  std::vector<Entry> waiting;  ///< In the order of writing, the newest version of each key.
  std::size_t damaged_files = 0;
  std::size_t unread_files = 0;  ///< Cannot be read, or are of a later version of the program.
};

/// Looks without changing anything; a running process may be writing there.
base::Result<Survey> survey(Files& files);

}  // namespace crm::journal
