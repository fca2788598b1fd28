#include "gateway/twilio/media_stream.h"

#include "gateway/base/fetch_ahead.h"

namespace gateway::twilio {

StreamMetrics::StreamMetrics(base::Metrics& m)
    : accepted{m.counter("switchboard_streams_accepted_total", "Media streams that proved their call.")},
      refused_unsigned{
          m.counter("switchboard_streams_refused_total", "Media sockets turned away.", {{"why", "signature"}})},
      refused_ticket{m.counter("switchboard_streams_refused_total", "Media sockets turned away.", {{"why", "ticket"}})},
      refused_silent{
          m.counter("switchboard_streams_refused_total", "Media sockets turned away.", {{"why", "no_start"}})},
      malformed{m.counter("switchboard_stream_messages_malformed_total", "Stream messages that could not be read.")},
      frames_missing{m.counter("switchboard_caller_frames_missing_total", "Gaps in Twilio's chunk numbers.")},
      audio_dropped{
          m.counter("switchboard_stream_messages_dropped_total", "Messages to a carrier that does not read.")} {}

namespace {

// One of each a thread: every stream of a core fills them in turn, and they never leave the cache.
Media& media_of_thread() {
  thread_local Media media;
  return media;
}
std::string& text_of_thread() {
  thread_local std::string text;
  return text;
}

}  // namespace

MediaStream::MediaStream(std::unique_ptr<net::WebSocket> socket, base::TimeSource& time, StreamMetrics& metrics,
                         asio::any_io_executor executor)
    : time_{time},
      usual_{media_of_thread()},
      out_{text_of_thread()},
      last_media_{time.now()},
      socket_{std::move(socket)},
      metrics_{metrics},
      start_bell_{executor},
      end_bell_{executor},
      watch_bell_{executor} {}

MediaStream::~MediaStream() = default;

base::Async<> MediaStream::read() {
  (void)co_await socket_->run(*this);
  closed_ = true;
  start_bell_.ring();
  end_bell_.ring();
  watch_bell_.ring();
}

base::Async<std::optional<Start>> MediaStream::started(base::Instant deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  auto const is_wanted = [&] { return stop.cancelled() == asio::cancellation_type::none; };
  while (!start_ && !closed_ && time_.now() < deadline && is_wanted())
    (void)co_await start_bell_.wait_until(time_, deadline);
  co_return closed_ ? std::nullopt : start_;
}

base::Async<> MediaStream::watch(std::chrono::milliseconds limit) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  while (!closed_) {
    auto const due = last_media_ + limit;
    if (time_.now() >= due || stop.cancelled() != asio::cancellation_type::none) {
      socket_->abort();
      co_return;
    }
    (void)co_await watch_bell_.wait_until(time_, due);
  }
}

base::Async<> MediaStream::refuse(std::string reason) {
  co_await socket_->close(1008, std::move(reason));
}

base::Async<CallerLegEnd> MediaStream::run(CallerEvents& events) {
  co_await asio::this_coro::throw_if_cancelled(false);
  events_ = &events;
  for (auto const& media : std::exchange(early_, {})) take(media);
  while (!closed_ && !stop_seen_) {
    bool const rung = co_await end_bell_.wait();
    if (rung) continue;
    // Cancelled: the socket goes, and read() reports that it has gone.
    socket_->abort();
    co_await asio::this_coro::reset_cancellation_state();
  }
  // After `stop` Twilio closes; should it not, we do.
  if (!closed_) co_await socket_->close(1000, "stream ended");
  events_ = nullptr;
  if (stop_seen_) co_return CallerLegEnd::stopped;
  co_return closed_by_us_ ? CallerLegEnd::closed : CallerLegEnd::lost;
}

base::Result<> MediaStream::play(std::span<std::uint8_t const> mulaw) {
  encode_media(out_, start_->stream_sid, mulaw);
  auto sent = socket_->send(out_);
  if (!sent) metrics_.audio_dropped.Increment();
  return sent;
}

base::Result<> MediaStream::mark(std::string_view name) {
  encode_mark(out_, start_->stream_sid, name);
  return socket_->send(out_);
}

base::Result<> MediaStream::clear() {
  // What still waits here would be played after the clear.
  socket_->drop_queued();
  encode_clear(out_, start_->stream_sid);
  return socket_->send(out_);
}

base::Async<> MediaStream::close() {
  closed_by_us_ = true;
  co_await socket_->close(1000, "");
}

void MediaStream::on_text(std::string_view message) {
  if (!has_started_) {
    before_start(message);
    return;
  }
  if (stop_seen_) return;
  if (decode_usual_media(message, usual_))
    take(usual_);
  else
    take_general(message);
}

void MediaStream::on_binary(std::size_t bytes) {
  metrics_.malformed.Increment();
  bytes_before_start_ += bytes;
  if (!start_ && ++messages_before_start_ > most_messages_before_start) socket_->abort();
}

void MediaStream::on_soon() {
  base::fetch_ahead(events_, 5);
}

void MediaStream::before_start(std::string_view message) {
  bytes_before_start_ += message.size();
  if (++messages_before_start_ > most_messages_before_start || bytes_before_start_ > most_bytes_before_start) {
    metrics_.refused_silent.Increment();
    socket_->abort();
    return;
  }
  auto incoming = decode(message);
  if (!incoming) {
    metrics_.malformed.Increment();
    return;
  }
  if (auto* const start = std::get_if<Start>(&*incoming)) {
    start_ = std::move(*start);
    has_started_ = true;
    start_->stream_sid.text().copy(sid_.data(), sid_.size());
    last_media_ = time_.now();
    start_bell_.ring();
  }
}

void MediaStream::take(Media const& media) {
  if (media.track != Track::inbound ||
      (!media.stream_sid.empty() && media.stream_sid.text() != std::string_view{sid_.data(), sid_.size()})) {
    metrics_.malformed.Increment();
    return;
  }
  last_media_ = time_.now();
  if (!events_) {
    if (early_.size() < most_early_frames) early_.push_back(media);
    return;
  }
  if (next_chunk_ != 0 && media.chunk > next_chunk_)
    metrics_.frames_missing.Increment(static_cast<double>(media.chunk - next_chunk_));
  next_chunk_ = media.chunk + 1;
  events_->on_caller_audio(media.mulaw(), media.timestamp);
}

void MediaStream::take_general(std::string_view message) {
  auto incoming = decode(message);
  if (!incoming) {
    metrics_.malformed.Increment();
    return;
  }
  if (auto const* const media = std::get_if<Media>(&*incoming)) {
    take(*media);
  } else if (auto const* const dtmf = std::get_if<Dtmf>(&*incoming)) {
    if (events_) events_->on_caller_digit(dtmf->digit);
  } else if (auto const* const mark = std::get_if<Mark>(&*incoming)) {
    if (events_) events_->on_mark(mark->name);
  } else if (std::holds_alternative<Stop>(*incoming)) {
    stop_seen_ = true;
    end_bell_.ring();
  }
}

}  // namespace gateway::twilio
