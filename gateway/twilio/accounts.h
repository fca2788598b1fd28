#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/secret.h"

namespace gateway::twilio {

/// The Twilio accounts we serve and their auth tokens, the primary first. Read only once built.
class Accounts {
 public:
  struct Account {
    base::AccountSid sid;
    std::vector<base::Secret> tokens;
  };

  explicit Accounts(std::vector<Account> accounts) {
    if (!accounts.empty()) first_ = accounts.front().sid;
    for (auto& account : accounts) {
      all_.insert(all_.end(), account.tokens.begin(), account.tokens.end());
      accounts_.emplace(account.sid, std::move(account));
    }
  }

  /// Tokens that may have signed for this account; none for an account that is not ours.
  std::span<base::Secret const> tokens(base::AccountSid const& sid) const {
    auto const found = accounts_.find(sid);
    return found == accounts_.end() ? std::span<base::Secret const>{}
                                    : std::span<base::Secret const>{found->second.tokens};
  }
  /// Of the account that stands for us where nothing names one; empty when there is none.
  base::AccountSid const& first() const { return first_; }
  /// For a socket upgrade, which names no account.
  std::span<base::Secret const> all_tokens() const { return all_; }

 private:
  base::AccountSid first_;
  std::map<base::AccountSid, Account> accounts_;
  std::vector<base::Secret> all_;
};

}  // namespace gateway::twilio
