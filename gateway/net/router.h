#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/async.h"
#include "gateway/net/http.h"
#include "gateway/net/websocket.h"

namespace net {

/// Which function answers which URL. Built once at start, then read only, so all cores may share it.
class Router {
 public:
  using Handler = std::function<base::Async<Response>(Request)>;
  using UpgradeHandler = std::function<base::Async<>(PendingUpgrade)>;

  struct Route {
    std::string method;
    std::string path;  ///< Exact, or a prefix when it ends in "/*".
    std::size_t max_body_bytes = 64 * 1024;
    Handler handler;         ///< Set for ordinary routes.
    UpgradeHandler upgrade;  ///< Set for WebSocket routes.
  };
  struct Match {
    Route const* route = nullptr;
    bool path_known = false;  ///< The path exists under another method: answer 405, not 404.
    std::string allow;        ///< The methods it does exist under, as an Allow header has them.
  };

  void on(std::string method, std::string path, Handler handler, std::size_t max_body_bytes = 64 * 1024);
  void on_upgrade(std::string path, UpgradeHandler handler);
  Match find(std::string_view method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace net
