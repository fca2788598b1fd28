#include "gateway/net/socket_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>

#include "gateway/base/ids.h"

namespace net {
namespace {

// A full receive of the kernel's loopback segment, and enough for hundreds of media messages at once.
constexpr std::size_t read_buffer_bytes = 64 * 1024;
constexpr std::size_t spare_buffers_kept = 64;
constexpr std::size_t spare_buffer_bytes = 16 * 1024;
constexpr std::size_t random_bytes = 4096;
// Between two turns of a busy loop. To be woken for every message costs as much as the message itself, so the more
// connections a loop has the longer it lets messages gather: a quarter of a millisecond with 500 calls (1,000
// connections), growing with the square, and never more than a twentieth of a frame. A loop with few calls does not
// rest, because its messages come further apart than that.
constexpr auto pause_with_a_thousand = std::chrono::microseconds{250};
constexpr auto shortest_pause = std::chrono::microseconds{100};
constexpr auto longest_pause = std::chrono::microseconds{1000};

}  // namespace

asio::execution_context::id SocketLoop::id;

SocketLoop::SocketLoop(asio::execution_context& context)
    : service{context},
      context_{static_cast<asio::io_context&>(context)},
      descriptor_{std::in_place, context_},
      timer_{std::in_place, context_},
      rest_{std::in_place, context_},
      read_buffer_(read_buffer_bytes) {
  descriptor_->assign(::dup(poller_.descriptor()));
}

SocketLoop& SocketLoop::of(asio::any_io_executor const& executor) {
  return asio::use_service<SocketLoop>(asio::query(executor, asio::execution::context));
}

void SocketLoop::shutdown() {
  descriptor_.reset();
  timer_.reset();
  rest_.reset();
}

bool SocketLoop::add(int socket, Connection& connection) {
  if (!poller_.add(socket, connection)) return false;
  ++connections_;
  watch();
  return true;
}

void SocketLoop::remove(int socket, Connection& connection) {
  poller_.remove(socket, connection);
  --connections_;
  forget(connection);
  // An idle wait would keep the Asio loop from running out of work.
  if (connections_ == 0 && watching_ && descriptor_) descriptor_->cancel();
}

void SocketLoop::forget(Connection& connection) {
  if (connection.is_waiting_to_flush_) std::ranges::replace(waiting_to_flush_, &connection, nullptr);
  connection.is_waiting_to_flush_ = false;
  std::ranges::replace(unread_, &connection, nullptr);
  if (connection.due_) due_.erase({*connection.due_, &connection});
  connection.due_.reset();
  if (due_.empty() && timer_ && armed_for_ != Instant::max()) {
    armed_for_ = Instant::max();
    timer_->cancel();
  }
}

void SocketLoop::watch() {
  if (watching_ || resting_ || !descriptor_) return;
  watching_ = true;
  descriptor_->async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    watching_ = false;
    auto const before = now_;
    auto const found = error ? 0 : turn();
    if (connections_ == 0) return;
    if (!error && now_ - before < pause())
      rest(found);
    else
      watch();
  });
}

/// Goes on by the clock until there is nothing to do, without asking the kernel to be woken. A look that filled the
/// poller's batch has left others waiting, so the next one follows without a pause, behind what else the loop has to
/// do.
void SocketLoop::rest(std::size_t found) {
  resting_ = true;
  rest_->expires_at(found < Poller::batch ? now_ + pause() : now_);
  rest_->async_wait([this](boost::system::error_code error) {
    resting_ = false;
    if (error || connections_ == 0) return;
    auto const found_now = turn();
    if (connections_ == 0) return;
    if (found_now > 0)
      rest(found_now);
    else
      watch();
  });
}

SocketLoop::Clock::duration SocketLoop::pause() const {
  auto const thousands = static_cast<double>(connections_) / 1000;
  auto const wanted = std::chrono::duration<double>{pause_with_a_thousand} * thousands * thousands;
  if (wanted >= longest_pause) return longest_pause;
  return std::max<Clock::duration>(std::chrono::duration_cast<Clock::duration>(wanted), shortest_pause);
}

std::size_t SocketLoop::turn() {
  now_ = Clock::now();
  in_turn_ = true;
  auto const found = poller_.poll(std::chrono::milliseconds{0});
  in_turn_ = false;
  flush_waiting();
  return found;
}

void SocketLoop::flush_soon(Connection& connection) {
  if (connection.is_waiting_to_flush_) return;
  connection.is_waiting_to_flush_ = true;
  waiting_to_flush_.push_back(&connection);
  if (in_turn_ || flush_posted_) return;
  flush_posted_ = true;
  asio::post(context_, [this] {
    flush_posted_ = false;
    now_ = Clock::now();
    flush_waiting();
  });
}

void SocketLoop::flush_waiting() {
  for (std::size_t i = 0; i < waiting_to_flush_.size(); ++i) {
    auto* const connection = waiting_to_flush_[i];
    if (connection == nullptr) continue;
    connection->is_waiting_to_flush_ = false;
    waiting_to_flush_[i] = nullptr;
    connection->flush();
  }
  waiting_to_flush_.clear();
}

void SocketLoop::read_again(Connection& connection) {
  unread_.push_back(&connection);
  if (std::exchange(read_posted_, true)) return;
  asio::post(context_, [this] {
    read_posted_ = false;
    now_ = Clock::now();
    in_turn_ = true;
    auto const unread = std::exchange(unread_, {});
    // Swapped out, forget() cannot reach them: each is looked up in what remains of the turn.
    unread_ = unread;
    for (std::size_t i = 0; i < unread.size(); ++i) {
      auto* const connection = unread_[i];
      unread_[i] = nullptr;
      if (connection != nullptr) connection->on_ready(EPOLLIN);
    }
    unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(unread.size()));
    in_turn_ = false;
    flush_waiting();
  });
}

void SocketLoop::wake_at(Connection& connection, std::optional<Instant> when) {
  if (connection.due_ == when) return;
  if (connection.due_) due_.erase({*connection.due_, &connection});
  connection.due_ = when;
  if (when) due_.emplace(*when, &connection);
  arm();
}

void SocketLoop::arm() {
  if (due_.empty() || !timer_) return;
  auto const first = due_.begin()->first;
  if (first >= armed_for_) return;
  armed_for_ = first;
  timer_->expires_at(first);
  timer_->async_wait([this](boost::system::error_code error) {
    if (!error) wake_due();
  });
}

void SocketLoop::wake_due() {
  armed_for_ = Instant::max();
  now_ = Clock::now();
  while (!due_.empty() && due_.begin()->first <= now_) {
    auto* const connection = due_.begin()->second;
    due_.erase(due_.begin());
    connection->due_.reset();
    connection->on_due(now_);
  }
  flush_waiting();
  arm();
}

std::string SocketLoop::take_write_buffer() {
  if (spare_buffers_.empty()) return {};
  auto buffer = std::move(spare_buffers_.back());
  spare_buffers_.pop_back();
  return buffer;
}

void SocketLoop::give_back(std::string buffer) {
  if (buffer.capacity() > spare_buffer_bytes || spare_buffers_.size() >= spare_buffers_kept) return;
  buffer.clear();
  spare_buffers_.push_back(std::move(buffer));
}

websocket::MaskKey SocketLoop::mask_key() {
  websocket::MaskKey key;
  if (random_.size() < key.size()) {
    random_.resize(random_bytes);
    base::fill_random(random_);
  }
  std::memcpy(key.data(), random_.data() + random_.size() - key.size(), key.size());
  random_.resize(random_.size() - key.size());
  return key;
}

}  // namespace net
