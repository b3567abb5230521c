#include "record/libav.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
#include <libavutil/parseutils.h>
}

namespace fp::record {
namespace {

constexpr int kChunkBytes = 64 << 10;

// A file that libavformat reads through callbacks: it gets to open nothing.
struct File {
  int fd = -1;
  std::int64_t at = 0;
  std::int64_t bytes = 0;
};

int read_some(void* opaque, std::uint8_t* room, int size) noexcept {
  auto& file = *static_cast<File*>(opaque);
  for (;;) {
    const ssize_t got = ::pread(file.fd, room, static_cast<std::size_t>(size), file.at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return AVERROR(errno);
    if (got == 0) return AVERROR_EOF;
    file.at += got;
    return static_cast<int>(got);
  }
}

std::int64_t go_to(void* opaque, std::int64_t offset, int whence) noexcept {
  auto& file = *static_cast<File*>(opaque);
  if ((whence & AVSEEK_SIZE) != 0) return file.bytes;
  std::int64_t base = 0;
  if ((whence & ~AVSEEK_FORCE) == SEEK_CUR) base = file.at;
  if ((whence & ~AVSEEK_FORCE) == SEEK_END) base = file.bytes;
  if (offset > file.bytes - base || offset < -base) return AVERROR(EINVAL);
  file.at = base + offset;
  return file.at;
}

class LibavReader final : public BlockReader {
 public:
  LibavReader(int fd, std::string path, std::size_t max_frame_bytes) : path_(std::move(path)) {
    struct stat info {};
    if (::fstat(fd, &info) == 0) file_.bytes = info.st_size;
    file_.fd = fd;
    // A length in the file is not to be believed beyond what there is.
    constexpr std::size_t kSlackBytes = 1u << 20;
    av_max_alloc(std::min(max_frame_bytes, static_cast<std::size_t>(file_.bytes)) + kSlackBytes);
    av_log_set_level(AV_LOG_QUIET);
  }
  LibavReader(const LibavReader&) = delete;
  LibavReader& operator=(const LibavReader&) = delete;
  ~LibavReader() override {
    av_packet_free(&packet_);
    avformat_close_input(&format_);
    if (io_ != nullptr) av_freep(&io_->buffer);
    avio_context_free(&io_);
  }

  Result<Done> open();
  [[nodiscard]] Result<std::optional<Block>> next() override;
  [[nodiscard]] std::optional<WallTime> begin() const override;
  [[nodiscard]] Skips skips() const override { return {}; }

 private:
  [[nodiscard]] std::string error_text(int code) const;

  std::string path_;
  File file_;
  AVIOContext* io_ = nullptr;
  AVFormatContext* format_ = nullptr;
  AVPacket* packet_ = nullptr;
  const AVStream* stream_ = nullptr;
};

std::string LibavReader::error_text(int code) const {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return path_ + ": Matroska that cannot be read: " + text.data();
}

Result<Done> LibavReader::open() {
  auto* const buffer = static_cast<unsigned char*>(av_malloc(kChunkBytes));
  io_ = avio_alloc_context(buffer, kChunkBytes, 0, &file_, read_some, nullptr, go_to);
  format_ = avformat_alloc_context();
  packet_ = av_packet_alloc();
  if (io_ == nullptr || format_ == nullptr || packet_ == nullptr) throw std::bad_alloc();
  format_->pb = io_;
  // Frames as they stand there: no parsers, no guesses.
  format_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
  AVDictionary* limits = nullptr;
  av_dict_set(&limits, "format_whitelist", "matroska,webm", 0);
  av_dict_set(&limits, "protocol_whitelist", "none", 0);
  const int opened = avformat_open_input(&format_, nullptr, av_find_input_format("matroska"), &limits);
  av_dict_free(&limits);
  if (opened < 0) return malformed(error_text(opened));
  const AVStream* other = nullptr;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* const stream = format_->streams[i];
    const bool cover = (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    const bool video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !cover;
    if (stream_ == nullptr && video && stream->codecpar->codec_id == AV_CODEC_ID_MJPEG) {
      stream_ = stream;
      continue;
    }
    stream->discard = AVDISCARD_ALL;
    if (other == nullptr && video) other = stream;
  }
  if (stream_ != nullptr) return Done{};
  if (other == nullptr) return malformed(path_ + ": has no video");
  return malformed(path_ + ": its video is " + avcodec_get_name(other->codecpar->codec_id) +
                   ", and only MJPEG is played: camgrab makes frames of others");
}

Result<std::optional<Block>> LibavReader::next() {
  for (;;) {
    av_packet_unref(packet_);
    const int got = av_read_frame(format_, packet_);
    if (got == AVERROR_EOF) return std::optional<Block>();
    if (got < 0) return malformed(error_text(got));
    if (packet_->stream_index != stream_->index) continue;
    Block block;
    block.jpeg = {packet_->data, static_cast<std::size_t>(packet_->size)};
    // In front of what a BlockAdditional holds stands its number.
    constexpr std::size_t kIdBytes = 8;
    std::size_t bytes = 0;
    const std::uint8_t* const more = av_packet_get_side_data(packet_, AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL, &bytes);
    if (more != nullptr && bytes > kIdBytes) block.headers = as_text({more + kIdBytes, bytes - kIdBytes});
    if (packet_->pts != AV_NOPTS_VALUE) {
      constexpr std::int64_t kMostUs = 1ll << 52;  // 142 years
      const std::int64_t us = av_rescale_q(packet_->pts, stream_->time_base, {1, 1'000'000});
      block.time = std::chrono::microseconds(std::clamp<std::int64_t>(us, 0, kMostUs));
    }
    return block;
  }
}

std::optional<WallTime> LibavReader::begin() const {
  const AVDictionaryEntry* const date = av_dict_get(format_->metadata, "creation_time", nullptr, 0);
  std::int64_t us = 0;
  if (date == nullptr || av_parse_time(&us, date->value, 0) < 0 || us < 0) return std::nullopt;
  return WallTime(std::chrono::microseconds(us));
}

}  // namespace

OpenBlocks libav_blocks() {
  return [](int fd, const std::string& path, std::size_t max_frame_bytes) -> Result<std::unique_ptr<BlockReader>> {
    auto reader = std::make_unique<LibavReader>(fd, path, max_frame_bytes);
    if (auto opened = reader->open(); !opened) return fail(std::move(opened).error());
    return reader;
  };
}

}  // namespace fp::record
