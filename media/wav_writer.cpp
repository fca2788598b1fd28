#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "media/wav.h"
#include "media/wav_header.h"

namespace media {
namespace {

constexpr std::uint64_t seconds_between_updates = 5;
static_assert(std::endian::native == std::endian::little, "samples are written as they are in memory");

std::unexpected<base::Error> disk_refused() {
  return base::fail(base::Fault::unavailable, "wav: " + std::generic_category().message(errno));
}

}  // namespace

base::Result<WavWriter> WavWriter::create(std::filesystem::path const& path, std::uint32_t rate,
                                          std::uint16_t channels) {
  assert(rate > 0 && (channels == 1 || channels == 2));
  File file{std::fopen(path.c_str(), "wb")};
  if (!file) return disk_refused();
  WavWriter writer{std::move(file), rate, channels};
  auto written = writer.update_header();
  if (!written) return std::unexpected{written.error()};
  return writer;
}

WavWriter::WavWriter(File file, std::uint32_t rate, std::uint16_t channels)
    : file_{std::move(file)}, rate_{rate}, channels_{channels} {}

WavWriter::~WavWriter() {
  (void)close();
}

base::Result<> WavWriter::write(std::span<std::int16_t const> samples) {
  assert(samples.size() % channels_ == 0);
  if (!file_) return base::fail(base::Fault::refused, "wav: already closed");
  if (data_bytes_ + samples.size_bytes() > most_wav_data_bytes) return base::fail(base::Fault::too_large, "wav: full");
  if (std::fwrite(samples.data(), sizeof(std::int16_t), samples.size(), file_.get()) != samples.size())
    return give_up();
  data_bytes_ += samples.size_bytes();
  auto const bytes_a_second = std::uint64_t{rate_} * channels_ * sizeof(std::int16_t);
  if (data_bytes_ - bytes_in_header_ < seconds_between_updates * bytes_a_second) return {};
  return update_header();
}

base::Result<> WavWriter::update_header() {
  auto const header = wav_header(rate_, channels_, static_cast<std::uint32_t>(data_bytes_));
  // Seeking hands the samples to the kernel first, so the header never promises what is not there.
  bool const done = std::fseek(file_.get(), 0, SEEK_SET) == 0 &&
                    std::fwrite(header.data(), 1, header.size(), file_.get()) == header.size() &&
                    std::fseek(file_.get(), 0, SEEK_END) == 0 && std::fflush(file_.get()) == 0;
  if (!done) return give_up();
  bytes_in_header_ = data_bytes_;
  return {};
}

// After a failed write nobody knows how much of it is on the disk; what follows would be out of step.
std::unexpected<base::Error> WavWriter::give_up() {
  auto error = disk_refused();
  file_.reset();
  return error;
}

base::Result<> WavWriter::close() {
  if (!file_) return {};
  auto updated = update_header();
  if (!updated) return updated;
  bool const closed = std::fclose(file_.release()) == 0;
  if (!closed) return disk_refused();
  return {};
}

base::Result<> write_wav(std::filesystem::path const& path, std::span<std::int16_t const> samples, std::uint32_t rate) {
  auto writer = WavWriter::create(path, rate, 1);
  if (!writer) return std::unexpected{writer.error()};
  auto written = writer->write(samples);
  auto closed = writer->close();
  return written ? closed : written;
}

base::Result<> repair_wav(std::filesystem::path const& path) {
  std::error_code error;
  auto const size = std::filesystem::file_size(path, error);
  if (error) return base::fail(base::Fault::not_found, "wav: " + error.message());
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  WavHeader found{};
  if (!file) return base::fail(base::Fault::unavailable, "wav: cannot be opened for repair");
  file.read(reinterpret_cast<char*>(found.data()), found.size());
  auto const rate = wav_number(found, 24, 4);
  auto const channels = static_cast<std::uint16_t>(wav_number(found, 22, 2));
  bool const ours = file.good() && rate > 0 && (channels == 1 || channels == 2) &&
                    found == [&] {  // all but the sizes is as we write it
                      auto expected = wav_header(rate, channels, wav_number(found, 40, 4));
                      std::copy_n(found.begin() + 4, 4, expected.begin() + 4);
                      return expected;
                    }();
  if (!ours) return base::fail(base::Fault::protocol, "wav: header is not the recorder's");
  auto const frame_bytes = std::uintmax_t{2} * channels;
  auto const data_bytes = (size - wav_header_bytes) / frame_bytes * frame_bytes;
  if (data_bytes > most_wav_data_bytes) return base::fail(base::Fault::too_large, "wav: over 4 GiB");
  auto const right = wav_header(rate, channels, static_cast<std::uint32_t>(data_bytes));
  if (right != found) {
    file.seekp(0);
    file.write(reinterpret_cast<char const*>(right.data()), right.size());
  }
  file.close();
  if (!file) return base::fail(base::Fault::unavailable, "wav: header cannot be written");
  if (size != wav_header_bytes + data_bytes) std::filesystem::resize_file(path, wav_header_bytes + data_bytes, error);
  if (error) return base::fail(base::Fault::unavailable, "wav: " + error.message());
  return {};
}

}  // namespace media
