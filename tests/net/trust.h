#pragma once
#include "gateway/net/tls.h"
#include "tests/support/authority.h"

namespace test {

/// A server's certificate for localhost and a client that trusts it. Made once: that costs more than a test.
struct Trust {
  Authority authority;
  Authority::Files files = authority.issue("server");
  net::TlsServer server{files.chain, files.key};
  net::TlsClient client{authority.file()};
};
inline Trust& trust() {
  static Trust the_trust;
  return the_trust;
}

}  // namespace test
