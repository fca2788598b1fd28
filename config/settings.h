#pragma once
// Everything an operator can set, as typed values. config/table.cpp says how each field is called outside and what its
// default is; config/load.h fills it.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "gateway/base/log.h"
#include "gateway/base/secret.h"

namespace config {

struct Http {
  std::string address = "0.0.0.0";  ///< IPv4 or IPv6 address, never a name.
  std::uint16_t port = 3000;        ///< 0 takes any free port.
  std::string public_base_url;      ///< "https://host[:port]" ("http://" on loopback only), no path, no trailing slash.
  std::filesystem::path tls_cert;   ///< PEM chain, our own certificate first; with tls_key, or both empty: plain HTTP.
  std::filesystem::path tls_key;
};

struct Ops {
  std::string address = "127.0.0.1";
  std::uint16_t port = 9464;
};

struct Twilio {
  std::string account_sid;
  base::Secret auth_token;
  base::Secret auth_token_secondary;  ///< Accepted beside auth_token while the token is being rotated.
  std::string api_base_url = "https://api.twilio.com";  ///< No trailing slash.
};

struct ElevenLabs {
  base::Secret api_key;  ///< Empty: every agent is treated as public.
  std::string api_base_url =
      "https://api.elevenlabs.io";  ///< No trailing slash; http:// means ws:// for the agent socket.
  base::Secret webhook_secret;
  std::string origin;  ///< Sent as Origin when an agent's allow-list asks for one; empty sends none.
  std::chrono::milliseconds poll_after{60'000};  ///< Since the end of a call of which no webhook has told.
};

struct Media {
  std::chrono::milliseconds playout_lead{200};  ///< Audio kept ahead at Twilio.
  std::uint32_t message_frames = 3;             ///< 20 ms frames in one media message toward Twilio.
  std::chrono::milliseconds dead_air_after{8'000};
  std::chrono::milliseconds max_call_duration{3'600'000};
  std::chrono::milliseconds agent_wait{5'000};       ///< For the agent socket to become ready.
  std::chrono::milliseconds preauth_timeout{5'000};  ///< From the upgrade of a media socket to its verified start.
  std::chrono::milliseconds idle_timeout{20'000};    ///< Silence of a media socket that ends the call.
};

struct Limits {
  std::uint32_t max_calls = 5'000;
  std::uint32_t max_sockets = 20'000;
  std::uint32_t max_unproven = 4'000;             ///< Connections that have proved nothing yet.
  std::uint32_t max_unproven_of_address = 2'000;  ///< Of these, from one address.
  std::chrono::milliseconds max_lag{15};          ///< Of a core's event loop; new calls are refused from there on.
};

/// Call records on disk that the database has not taken yet, under data_dir / "journal".
struct Journal {
  std::uint32_t reserve_mib = 16;  ///< Disk space set aside, twice: for the file being written and for the next one.
  std::uint32_t limit_mib = 4'096;
};

/// How long what is done is kept. What still has to be done is never forgotten.
struct Retention {
  std::uint32_t inbox_days = 30;   ///< Bodies that came from outside.
  std::uint32_t outbox_days = 90;  ///< What other systems were told, and every attempt.
};

struct Recording {
  std::filesystem::path directory = "data/recordings";  ///< Without a setting of its own: data_dir / "recordings".
  bool enabled_by_default = false;
};

/// Keys under which integration credentials are stored.
struct Vault {
  base::Secret integration_encryption_key;           ///< 64 hex digits or base64 of 32 bytes; see encryption_key.h.
  base::Secret integration_encryption_key_previous;  ///< Older keys, comma between them; read with, never written with.
  base::Secret api_key_encryption_secret;            ///< Passphrase of the legacy format, read only.
};

/// Where requests to addresses that tenants have chosen may go, beside the public internet at port 443.
struct Egress {
  std::string allow;  ///< Address ranges, comma between them: "10.1.0.0/16, fd00::/8".
  std::string ports;  ///< Further ports, comma between them.
};

/// The Chatwoot account of tenants that have none of their own: all three, or none.
struct Chatwoot {
  std::string base_url;
  std::string account_id;
  base::Secret api_key;
};

struct OpenAi {
  base::Secret api_key;
  std::string base_url = "https://api.openai.com/v1";
  std::string model = "gpt-4o-mini";
};

/// Services used for tenants that have no integration of their own; an empty field switches the service off.
struct Fallbacks {
  base::Secret hubspot_api_key;
  base::Secret slack_webhook_url;
  base::Secret smtp_url;
  base::Secret stripe_webhook_secret;
};

struct Settings {
  Http http;
  Ops ops;
  std::uint32_t cores = 0;  ///< Media cores; 0 takes one for each hardware thread.
  std::filesystem::path data_dir = "data";
  std::filesystem::path extra_ca;  ///< PEM; trusted beside the system's authorities by everything that goes out.
  base::Secret database_url;       ///< Empty: a private PostgreSQL under data_dir.
  std::filesystem::path pg_bin;    ///< Holds postgres and initdb of the private PostgreSQL; empty: found.
  Twilio twilio;
  ElevenLabs elevenlabs;
  Media media;
  Limits limits;
  Journal journal;
  Recording recording;
  Retention retention;
  Vault vault;
  Egress egress;
  Chatwoot chatwoot;
  OpenAi openai;
  Fallbacks fallbacks;
  std::chrono::milliseconds drain_grace{30'000};
  base::LogLevel log_level = base::LogLevel::info;
};

}  // namespace config
