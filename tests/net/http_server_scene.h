#pragma once
#include <gmock/gmock.h>

#include <atomic>
#include <string>

#include "tests/net/server_scene.h"
#include "tests/net/trust.h"

namespace test {

/// A server with some routes, met plainly and over TLS.
struct AnyServer : testing::TestWithParam<bool> {
  AnyServer() {
    if (GetParam()) scene.secure(trust().server, trust().client);
    scene.router.on("GET", "/hello", [this](net::Request request) { return hello(std::move(request)); });
    scene.router.on("POST", "/echo", [](net::Request request) { return echo(std::move(request)); }, 1000);
    scene.router.on("POST", "/big", [](net::Request request) { return echo(std::move(request)); }, 4 * 1024 * 1024);
    scene.router.on("GET", "/files/*", [](net::Request request) { return target(std::move(request)); });
    scene.router.on("PUT", "/hello", [](net::Request request) { return echo(std::move(request)); });
  }

  base::Async<net::Response> hello(net::Request) {
    ++hellos;
    co_return net::Response::text(200, "hello");
  }
  static base::Async<net::Response> echo(net::Request request) { co_return net::Response::text(200, request.body); }
  static base::Async<net::Response> target(net::Request request) { co_return net::Response::text(200, request.target); }

  static std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{more} + "\r\n";
  }
  static std::string post(std::string_view path, std::string_view body) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string{body};
  }
  void expect_error(Answer const& answer, unsigned status, std::string_view code) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.headers.find("Content-Type"), "application/json");
    for (auto const* part : {"{\"error\":\"", "\"details\":\"", "\"timestamp\":\""})
      EXPECT_THAT(answer.body, testing::HasSubstr(part));
    EXPECT_THAT(answer.body, testing::HasSubstr("\"code\":\"" + std::string{code} + "\""));
  }
  double counted(std::string const& name) { return scene.metrics.counter(name, "").Value(); }

  std::atomic<int> hellos = 0;
  ServerScene scene;
};

inline std::string layer(testing::TestParamInfo<bool> const& info) {
  return info.param ? "tls" : "plain";
}

}  // namespace test
