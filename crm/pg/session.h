#pragma once
#include "crm/pg/query.h"
#include "crm/pg/row.h"
#include "gateway/base/async.h"

namespace crm::pg {

/// Something that runs statements until its deadline: a transaction, or a pool (then each statement is a transaction of
/// its own). Store functions take one, so that a use case decides what belongs together.
class Session {
 public:
  virtual base::Async<base::Result<Rows>> run(Query query, Params params) = 0;

 protected:
  ~Session() = default;
};

}  // namespace crm::pg
