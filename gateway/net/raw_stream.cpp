#include "gateway/net/raw_stream.h"

#include <unistd.h>

namespace net {

RawStream& RawStream::operator=(RawStream&& other) noexcept {
  if (this == &other) return *this;
  reset();
  socket_ = std::exchange(other.socket_, -1);
  tls_ = std::move(other.tls_);
  return *this;
}

void RawStream::reset() {
  tls_.reset();
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace net
