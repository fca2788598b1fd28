#pragma once
// Coroutines of the gateway: an Async<T> runs on the one thread of its core; see style notes in gateway/README.md.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/base/result.h"

namespace asio = boost::asio;

namespace base {

template <class T = void>
using Async = asio::awaitable<T>;

/// Completion token: errors come back as values in a tuple instead of exceptions.
inline constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

}  // namespace base
