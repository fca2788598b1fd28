#include "crm/store/desk_answers.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query find{"find_desk_answer",
                         "select convert_from(body, 'UTF8') as answer from inbox where source = 'desk' "
                         "and key = $1::text || ':' || $2::text || ':' || $3::text and tenant_id = $1"};
constexpr pg::Query keep{"keep_desk_answer",
                         "insert into inbox (source, key, tenant_id, body, status, applied_at) values "
                         "('desk', $1::text || ':' || $2::text || ':' || $3::text, $1, convert_to($4, 'UTF8'), "
                         "'applied', now())"};

}  // namespace

Async<Result<std::optional<std::string>>> find_desk_answer(pg::Session& session, DeskRequestKey key) {
  pg::Params params{key.tenant, key.call, key.request};
  auto const rows = co_await session.run(find, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<std::string> answer;
  if (!rows->empty()) answer = (*rows)[0].text("answer");
  co_return answer;
}

Async<Result<>> keep_desk_answer(pg::Session& session, DeskRequestKey key, std::string answer_json) {
  pg::Params params{key.tenant, key.call, key.request, answer_json};
  auto const rows = co_await session.run(keep, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace crm
