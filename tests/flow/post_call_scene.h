#pragma once
// What the agent's provider says after a call, signed as it signs it.
#include "gateway/agent/elevenlabs/webhook_signature.h"
#include "tests/flow/scene.h"

namespace flow {

class PostCallTest : public FlowTest {
 protected:
  Scene& stage(Scene::Tune const& tune = {}) {
    return scene([this, tune](config::Settings& settings) {
      settings.elevenlabs.webhook_secret = secret;
      if (tune) tune(settings);
    });
  }

  unsigned delivers(std::string const& conversation, std::string const& summary, int at = 1'800'000'000) {
    auto const body = R"({"type":"post_call_transcription","event_timestamp":)" + std::to_string(at) +
                      R"(,"data":{"conversation_id":")" + conversation +
                      R"(","agent_id":"agent_x","status":"done","analysis":{"call_successful":"success",)"
                      R"("transcript_summary":")" +
                      summary +
                      R"(","evaluation_criteria_results":{"polite":{"result":"success","rationale":"was"}},)"
                      R"("data_collection_results":{"guests":{"value":4},"odd":7}}}})";
    auto const now = std::chrono::duration_cast<std::chrono::seconds>(scene().time().wall().time_since_epoch()).count();
    return posts(body, gateway::elevenlabs::sign_webhook(secret, body, now));
  }
  unsigned posts(std::string const& body, std::string const& signature) {
    net::HttpCall call;
    call.method = "POST";
    call.url = scene().base_url() + "/api/elevenlabs/webhook";
    call.headers.add("ElevenLabs-Signature", signature);
    call.body = body;
    return scene().send(std::move(call)).status;
  }
  std::string outcome(std::string const& sid, std::string const& what) {
    return scene().value("select " + what +
                         " from call_outcomes o join calls c on c.tenant_id = o.tenant_id and c.id = " +
                         "o.call_id where c.call_sid = '" + sid + "'");
  }
  /// Every row of the tenant, of all tables, with every column.
  std::string rows_of(base::TenantId const& tenant) {
    return scene().value(
        "select string_agg(x.rows, E'\\n' order by t.table_name) from information_schema.columns t cross join lateral "
        "(select t.table_name || ' ' || query_to_xml(format('select * from %I x where tenant_id = %L order by "
        "x::text', "
        "t.table_name, '" +
        tenant.text() +
        "'), true, true, '')::text as rows) x where t.table_schema = current_schema() and t.column_name = 'tenant_id'");
  }

  base::Secret const secret{"wsec_0123456789abcdef"};
};

}  // namespace flow
