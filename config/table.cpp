#include "config/table.h"

#include <algorithm>
#include <array>

namespace config {
namespace {

using S = Settings;
constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr bool needed_by_serve = true;

constexpr auto settings = std::to_array<Setting>({
    {"PUBLIC_BASE_URL",
     "http.public_base_url",
     Kind::public_url,
     "",
     "What Twilio calls, e.g. https://voice.example.com; signatures and stream addresses derive from it alone.",
     [](S& s) -> Slot { return &s.http.public_base_url; },
     {},
     needed_by_serve},
    {"PORT",
     "http.port",
     Kind::port,
     "3000",
     "Public listener: webhooks, media, API and dashboard; 0 takes a free port.",
     [](S& s) -> Slot { return &s.http.port; },
     {0, 65'535}},
    {"SWITCHBOARD_ADDRESS", "http.address", Kind::address, "0.0.0.0", "Address of the public listener.",
     [](S& s) -> Slot { return &s.http.address; }},
    {"SWITCHBOARD_TLS_CERT", "http.tls_cert", Kind::path, "",
     "PEM file of the certificate chain, ours first: the public listener then speaks https itself; read again at "
     "SIGHUP.",
     [](S& s) -> Slot { return &s.http.tls_cert; }},
    {"SWITCHBOARD_TLS_KEY", "http.tls_key", Kind::path, "",
     "PEM file of that certificate's key, without a passphrase; ECDSA is cheaper than RSA.",
     [](S& s) -> Slot { return &s.http.tls_key; }},
    {"SWITCHBOARD_OPS_PORT",
     "ops.port",
     Kind::port,
     "9464",
     "Health and metrics listener; 0 takes a free port.",
     [](S& s) -> Slot { return &s.ops.port; },
     {0, 65'535}},
    {"SWITCHBOARD_OPS_ADDRESS", "ops.address", Kind::address, "127.0.0.1",
     "Address of the health and metrics listener; it has no log-in, so keep it private.",
     [](S& s) -> Slot { return &s.ops.address; }},
    {"SWITCHBOARD_CORES",
     "cores",
     Kind::count,
     "0",
     "Media cores; 0 takes one for each hardware thread.",
     [](S& s) -> Slot { return &s.cores; },
     {0, 1'024}},
    {"SWITCHBOARD_DATA_DIR", "data_dir", Kind::path, "data",
     "Journal, recordings and the private PostgreSQL live here.", [](S& s) -> Slot { return &s.data_dir; }},
    {"SWITCHBOARD_EXTRA_CA", "extra_ca", Kind::path, "",
     "PEM file of an authority to trust beside the system's, for simulators and services of your own.",
     [](S& s) -> Slot { return &s.extra_ca; }},
    {"DATABASE_URL", "database.url", Kind::database_url, "",
     "postgresql://... of the database; without it Switchboard runs a private PostgreSQL under its data directory.",
     [](S& s) -> Slot { return &s.database_url; }},
    {"SWITCHBOARD_PG_BIN", "database.pg_bin", Kind::path, "",
     "Folder with postgres and initdb for the private PostgreSQL; without it the newest installed one is found.",
     [](S& s) -> Slot { return &s.pg_bin; }},
    {"SWITCHBOARD_DRAIN_GRACE",
     "drain_grace",
     Kind::duration,
     "30s",
     "How long live calls may finish after SIGTERM.",
     [](S& s) -> Slot { return &s.drain_grace; },
     {0, 4 * hour}},
    {"SWITCHBOARD_LOG_LEVEL", "log_level", Kind::log_level, "info", "debug, info, warning, error or off.",
     [](S& s) -> Slot { return &s.log_level; }},

    {"TWILIO_ACCOUNT_SID",
     "twilio.account_sid",
     Kind::account_sid,
     "",
     "Account SID from the Twilio console.",
     [](S& s) -> Slot { return &s.twilio.account_sid; },
     {},
     needed_by_serve},
    {"TWILIO_AUTH_TOKEN",
     "twilio.auth_token",
     Kind::token,
     "",
     "Auth token of that account; also verifies webhooks.",
     [](S& s) -> Slot { return &s.twilio.auth_token; },
     {},
     needed_by_serve},
    {"TWILIO_AUTH_TOKEN_SECONDARY", "twilio.auth_token_secondary", Kind::token, "",
     "Second auth token, accepted as well while the first is being rotated.",
     [](S& s) -> Slot { return &s.twilio.auth_token_secondary; }},
    {"TWILIO_API_BASE_URL", "twilio.api_base_url", Kind::base_url, "https://api.twilio.com",
     "Twilio's REST API, or a simulator of it.", [](S& s) -> Slot { return &s.twilio.api_base_url; }},

    {"ELEVENLABS_API_KEY", "elevenlabs.api_key", Kind::token, "",
     "Key for private agents and conversation records; without it agents are used as public.",
     [](S& s) -> Slot { return &s.elevenlabs.api_key; }},
    {"ELEVENLABS_WEBHOOK_SECRET", "elevenlabs.webhook_secret", Kind::token, "",
     "Verifies post-call webhooks; without it they are refused.",
     [](S& s) -> Slot { return &s.elevenlabs.webhook_secret; }},
    {"ELEVENLABS_API_BASE_URL", "elevenlabs.api_base_url", Kind::base_url, "https://api.elevenlabs.io",
     "ElevenLabs' API, or a simulator of it; http:// means ws:// for the agent socket.",
     [](S& s) -> Slot { return &s.elevenlabs.api_base_url; }},
    {"ELEVENLABS_ORIGIN", "elevenlabs.origin", Kind::origin, "",
     "Origin header for agents whose allow-list asks for one, e.g. https://voice.example.com.",
     [](S& s) -> Slot { return &s.elevenlabs.origin; }},
    {"ELEVENLABS_POLL_AFTER",
     "elevenlabs.poll_after",
     Kind::duration,
     "1m",
     "How long after a call its conversation is asked for when no post-call webhook has told of it.",
     [](S& s) -> Slot { return &s.elevenlabs.poll_after; },
     {second, hour}},

    {"SWITCHBOARD_PLAYOUT_LEAD",
     "media.playout_lead",
     Kind::duration,
     "200ms",
     "Audio kept ahead at Twilio: more rides out longer hiccups, less makes interruption quicker.",
     [](S& s) -> Slot { return &s.media.playout_lead; },
     {20, 2 * second}},
    {"SWITCHBOARD_MESSAGE_FRAMES",
     "media.message_frames",
     Kind::count,
     "3",
     "20 ms frames in one media message toward Twilio.",
     [](S& s) -> Slot { return &s.media.message_frames; },
     {1, 50}},
    {"SWITCHBOARD_DEAD_AIR_AFTER",
     "media.dead_air_after",
     Kind::duration,
     "8s",
     "Silence of both sides after which the gateway acts.",
     [](S& s) -> Slot { return &s.media.dead_air_after; },
     {second, 10 * minute}},
    {"SWITCHBOARD_MAX_CALL_DURATION",
     "media.max_call_duration",
     Kind::duration,
     "1h",
     "A call ends after this long.",
     [](S& s) -> Slot { return &s.media.max_call_duration; },
     {second, 24 * hour}},
    {"SWITCHBOARD_AGENT_WAIT",
     "media.agent_wait",
     Kind::duration,
     "5s",
     "How long the agent may take to become ready.",
     [](S& s) -> Slot { return &s.media.agent_wait; },
     {100, minute}},
    {"SWITCHBOARD_PREAUTH_TIMEOUT",
     "media.preauth_timeout",
     Kind::duration,
     "5s",
     "How long a media socket may take to prove its call.",
     [](S& s) -> Slot { return &s.media.preauth_timeout; },
     {100, minute}},
    {"SWITCHBOARD_IDLE_TIMEOUT",
     "media.idle_timeout",
     Kind::duration,
     "20s",
     "A media socket that is silent this long has lost its call.",
     [](S& s) -> Slot { return &s.media.idle_timeout; },
     {second, 10 * minute}},

    {"SWITCHBOARD_MAX_CALLS",
     "limits.max_calls",
     Kind::count,
     "5000",
     "Live calls; further callers hear a polite answer.",
     [](S& s) -> Slot { return &s.limits.max_calls; },
     {1, 1'000'000}},
    {"SWITCHBOARD_MAX_SOCKETS",
     "limits.max_sockets",
     Kind::count,
     "20000",
     "Open connections on the public listener.",
     [](S& s) -> Slot { return &s.limits.max_sockets; },
     {16, 1'000'000}},
    {"SWITCHBOARD_MAX_UNPROVEN",
     "limits.max_unproven",
     Kind::count,
     "4000",
     "Connections that have proved nothing yet (no valid request, no stream of a call); the oldest makes way for a new "
     "one.",
     [](S& s) -> Slot { return &s.limits.max_unproven; },
     {16, 1'000'000}},
    {"SWITCHBOARD_MAX_UNPROVEN_OF_ADDRESS",
     "limits.max_unproven_of_address",
     Kind::count,
     "2000",
     "The same for connections from one address, or one IPv6 /64; a proxy in front is one address.",
     [](S& s) -> Slot { return &s.limits.max_unproven_of_address; },
     {16, 1'000'000}},
    {"SWITCHBOARD_MAX_LAG",
     "limits.max_lag",
     Kind::duration,
     "15ms",
     "While a media core's event loop is later than this, further callers hear a polite answer.",
     [](S& s) -> Slot { return &s.limits.max_lag; },
     {1, 10 * second}},

    {"SWITCHBOARD_JOURNAL_RESERVE_MIB",
     "journal.reserve_mib",
     Kind::count,
     "16",
     "MiB of disk set aside, twice, so that call records find room on a full disk while the database is away.",
     [](S& s) -> Slot { return &s.journal.reserve_mib; },
     {1, 64}},
    {"SWITCHBOARD_JOURNAL_LIMIT_MIB",
     "journal.limit_mib",
     Kind::count,
     "4096",
     "MiB that the journal of call records may take on disk at most.",
     [](S& s) -> Slot { return &s.journal.limit_mib; },
     {512, 1'048'576}},

    {"SWITCHBOARD_RECORDING_DIRECTORY", "recording.directory", Kind::path, "",
     "Where recordings are kept; without it the folder recordings in the data directory.",
     [](S& s) -> Slot { return &s.recording.directory; }},
    {"SWITCHBOARD_RECORDING_ENABLED", "recording.enabled_by_default", Kind::yes_or_no, "false",
     "Record calls of tenants that have not chosen.", [](S& s) -> Slot { return &s.recording.enabled_by_default; }},

    {"SWITCHBOARD_KEEP_INBOX_DAYS",
     "retention.inbox_days",
     Kind::count,
     "30",
     "Days for which webhooks that came in are kept after they were applied.",
     [](S& s) -> Slot { return &s.retention.inbox_days; },
     {1, 3'650}},
    {"SWITCHBOARD_KEEP_OUTBOX_DAYS",
     "retention.outbox_days",
     Kind::count,
     "90",
     "Days for which it is kept what other systems were told, with every attempt.",
     [](S& s) -> Slot { return &s.retention.outbox_days; },
     {1, 3'650}},

    {"INTEGRATION_ENCRYPTION_KEY", "vault.integration_encryption_key", Kind::encryption_key, "",
     "Encrypts stored integration credentials: 64 hex digits or base64 of 32 bytes.",
     [](S& s) -> Slot { return &s.vault.integration_encryption_key; }},
    {"INTEGRATION_ENCRYPTION_KEY_PREVIOUS", "vault.integration_encryption_key_previous", Kind::encryption_keys, "",
     "Older keys, comma between them, with which stored credentials can still be read.",
     [](S& s) -> Slot { return &s.vault.integration_encryption_key_previous; }},
    {"API_KEY_ENCRYPTION_SECRET", "vault.api_key_encryption_secret", Kind::passphrase, "",
     "Passphrase of the legacy credential format; only read with.",
     [](S& s) -> Slot { return &s.vault.api_key_encryption_secret; }},

    {"SWITCHBOARD_EGRESS_ALLOW", "egress.allow", Kind::networks, "",
     "Address ranges that tenants' integrations may reach although they are not public, over http as well, e.g. "
     "10.1.0.0/16.",
     [](S& s) -> Slot { return &s.egress.allow; }},
    {"SWITCHBOARD_EGRESS_PORTS", "egress.ports", Kind::ports, "",
     "Ports beside 443 that tenants' integrations may use, e.g. 8443,3000.",
     [](S& s) -> Slot { return &s.egress.ports; }},

    {"CHATWOOT_BASE_URL", "chatwoot.base_url", Kind::base_url, "", "Chatwoot for tenants without one of their own.",
     [](S& s) -> Slot { return &s.chatwoot.base_url; }},
    {"CHATWOOT_ACCOUNT_ID", "chatwoot.account_id", Kind::text, "", "Account number in that Chatwoot.",
     [](S& s) -> Slot { return &s.chatwoot.account_id; }},
    {"CHATWOOT_API_KEY", "chatwoot.api_key", Kind::token, "", "Access token for that Chatwoot.",
     [](S& s) -> Slot { return &s.chatwoot.api_key; }},
    {"HUBSPOT_API_KEY", "hubspot.api_key", Kind::token, "", "HubSpot token for tenants without one of their own.",
     [](S& s) -> Slot { return &s.fallbacks.hubspot_api_key; }},
    {"SLACK_WEBHOOK_URL", "slack.webhook_url", Kind::https_url, "", "Slack incoming webhook for notifications.",
     [](S& s) -> Slot { return &s.fallbacks.slack_webhook_url; }},
    {"OPENAI_API_KEY", "openai.api_key", Kind::token, "", "Key of the service that writes call summaries.",
     [](S& s) -> Slot { return &s.openai.api_key; }},
    {"OPENAI_BASE_URL", "openai.base_url", Kind::base_url, "https://api.openai.com/v1",
     "Any service with the same API.", [](S& s) -> Slot { return &s.openai.base_url; }},
    {"OPENAI_MODEL", "openai.model", Kind::text, "gpt-4o-mini", "Model that writes call summaries.",
     [](S& s) -> Slot { return &s.openai.model; }},
    {"SMTP_URL", "smtp.url", Kind::smtp_url, "", "smtps://user:password@host for e-mail.",
     [](S& s) -> Slot { return &s.fallbacks.smtp_url; }},
    {"STRIPE_WEBHOOK_SECRET", "stripe.webhook_secret", Kind::token, "", "Verifies Stripe's webhooks.",
     [](S& s) -> Slot { return &s.fallbacks.stripe_webhook_secret; }},
});

Setting const* find(std::string_view Setting::* column, std::string_view wanted) {
  auto const* const row = std::ranges::find(settings, wanted, column);
  return row == settings.end() ? nullptr : row;
}

}  // namespace

std::span<Setting const> table() {
  return settings;
}

Setting const* find_by_name(std::string_view name) {
  return find(&Setting::name, name);
}

Setting const* find_by_path(std::string_view path) {
  return find(&Setting::path, path);
}

bool is_secret(Setting const& setting) {
  switch (setting.kind) {
    case Kind::token:
    case Kind::passphrase:
    case Kind::https_url:
    case Kind::database_url:
    case Kind::smtp_url:
    case Kind::encryption_key:
    case Kind::encryption_keys:
      return true;
    case Kind::text:
    case Kind::address:
    case Kind::port:
    case Kind::count:
    case Kind::yes_or_no:
    case Kind::duration:
    case Kind::log_level:
    case Kind::path:
    case Kind::account_sid:
    case Kind::public_url:
    case Kind::base_url:
    case Kind::origin:
    case Kind::networks:
    case Kind::ports:
      return false;
  }
  return true;
}

std::string flag_of(Setting const& setting) {
  auto name = setting.name;
  if (constexpr std::string_view ours = "SWITCHBOARD_"; name.starts_with(ours)) name.remove_prefix(ours.size());
  std::string flag{name};
  for (char& c : flag) c = c == '_' ? '-' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  return flag;
}

std::string file_name_of(Setting const& setting) {
  return std::string{setting.name} + "_FILE";
}

}  // namespace config
