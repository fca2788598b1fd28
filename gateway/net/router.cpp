#include "gateway/net/router.h"

namespace net {
namespace {

bool covers(std::string_view pattern, std::string_view path) {
  if (pattern.ends_with("/*")) return path.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == path;
}

}  // namespace

void Router::on(std::string method, std::string path, Handler handler, std::size_t max_body_bytes) {
  routes_.push_back({std::move(method), std::move(path), max_body_bytes, std::move(handler), {}});
}

void Router::on_upgrade(std::string path, UpgradeHandler handler) {
  routes_.push_back({"GET", std::move(path), 0, {}, std::move(handler)});
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  Match match;
  for (auto const& route : routes_) {
    if (!covers(route.path, path)) continue;
    match.path_known = true;
    if (route.method != method) {
      if (!match.allow.empty()) match.allow += ", ";
      match.allow += route.method;
      if (route.method == "GET" && route.handler) match.allow += ", HEAD";
      continue;
    }
    match.route = &route;
    return match;
  }
  return match;
}

}  // namespace net
