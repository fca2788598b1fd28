#pragma once
#include <array>
#include <limits>
#include <string>
#include <string_view>

#include "loadtest/load/http_exchange.h"
#include "loadtest/load/measures.h"
#include "loadtest/load/options.h"
#include "media/format.h"

namespace sim::load {

inline constexpr std::int64_t ms_ns = 1'000'000;
inline constexpr std::int64_t frame_ns = 20 * ms_ns;

class Call;

/// Finds the call that an agent's conversation or a request of the gateway belongs to.
class CallFinder {
 public:
  /// Null for a call that is over, or none of ours.
  virtual Call* find(std::string_view call_sid) = 0;
  /// By the number inside its audio, for a gateway that does not tell its agents the CallSid.
  virtual Call* find_number(std::uint32_t number) = 0;

 protected:
  ~CallFinder() = default;
};

/// What all calls of one run share. Lives on one thread.
struct Trial {
  Options options;
  Wires wires;
  Measures measures;
  Place gateway;
  std::optional<Place> media;  ///< Where the newest stream URL led to.
  std::string public_url;      ///< What the gateway believes to be called by; requests are signed for it.
  std::string account_sid;
  std::string auth_token;
  SSL_CTX* client_tls = nullptr;
  SSL_CTX* server_tls = nullptr;
  CallFinder* calls = nullptr;
  std::string own_authority;  ///< "127.0.0.1:PORT" where we answer.

  // Frames that are due from here to there are measured.
  std::int64_t measured_from = std::numeric_limits<std::int64_t>::max();
  std::int64_t measured_to = std::numeric_limits<std::int64_t>::max();
  bool is_measured(std::int64_t due_ns) const { return due_ns >= measured_from && due_ns < measured_to; }

  // Room for the message at hand, and frames that lack only their stamps.
  std::vector<std::uint8_t> audio;
  std::vector<std::uint8_t> unstamped;
  std::string message;

  media::AudioFormat agent_format() const {
    return options.pcm ? media::AudioFormat{media::Codec::pcm16, 16000} : media::telephone;
  }
};

/// When frames were written, for those whose sound cannot carry a time. Remembers the newest ones.
class SentTimes {
 public:
  struct Sent {
    std::int64_t sent_ns = 0;
    std::int64_t due_ns = 0;
  };

  void note(std::uint32_t frame, std::int64_t sent_ns, std::int64_t due_ns) {
    if (times_.empty()) times_.resize(remembered);
    times_[frame % remembered] = {sent_ns, due_ns};
  }
  Sent of(std::uint32_t frame) const { return times_.empty() ? Sent{} : times_[frame % remembered]; }

 private:
  static constexpr std::size_t remembered = 1024;
  std::vector<Sent> times_;
};

}  // namespace sim::load
