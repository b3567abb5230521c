#include "rtc/encoder.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "rtc/encoder_hub.h"

namespace fp::rtc {
namespace {

using namespace std::chrono_literals;

constexpr auto kKeySpacing = 300ms;   // of those that peers ask for
constexpr auto kKeyPatience = 100ms;  // for a new frame, before the last one serves again
constexpr GstClockTime kEncodeTime = 5 * GST_SECOND;
constexpr int kManyPixels = 640 * 480;

Error unsupported(std::string text) { return Error{Error::Kind::Unsupported, 0, std::move(text)}; }

bool has_element(const char* kind) {
  const GstRef<GstElementFactory> factory(gst_element_factory_find(kind));
  return factory != nullptr;
}

// Threads take turns within a picture, never across pictures: those would wait for each other.
unsigned threads_for(jpeg::Size size) {
  const bool many = size.width_px * size.height_px > kManyPixels;
  return many ? std::clamp(std::thread::hardware_concurrency(), 1U, 4U) : 1U;
}

int rate_of(const EncoderOptions& options) {
  return options.fps ? std::max(1, static_cast<int>(std::lround(*options.fps))) : 30;
}

// In frames, for encoders that count those.
long long key_distance(const EncoderOptions& options) {
  const double frames = seconds_of(options.key_interval) * rate_of(options);
  return std::max(1LL, static_cast<long long>(frames));
}

std::string encoder_words(const EncoderOptions& options, jpeg::Size size, unsigned kbps) {
  const std::string distance = std::to_string(key_distance(options));
  const std::string threads = std::to_string(threads_for(size));
  if (options.codec == Codec::Vp8) {
    // cpu-used 16 takes three fifths of the time of 8, for a picture that is a little worse.
    const char* const haste = size.width_px * size.height_px > kManyPixels ? "16" : "8";
    return std::string("vp8enc name=encoder deadline=1 cpu-used=") + haste + " threads=" + threads +
           " end-usage=cbr target-bitrate=" + std::to_string(kbps * 1000) + " keyframe-max-dist=" + distance +
           " lag-in-frames=0";
  }
  const std::string tail =
      " ! video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au ! h264parse "
      "config-interval=-1"
      " ! video/x-h264,stream-format=byte-stream,alignment=au";
  if (has_element("x264enc")) {
    return "x264enc name=encoder tune=zerolatency speed-preset=ultrafast bframes=0 byte-stream=true threads=" +
           threads + " sliced-threads=true vbv-buf-capacity=300 bitrate=" + std::to_string(kbps) +
           " key-int-max=" + distance + tail;
  }
  return "openh264enc name=encoder usage-type=camera complexity=low rate-control=bitrate multi-thread=" + threads +
         " bitrate=" + std::to_string(kbps * 1000) + " gop-size=" + distance + tail;
}

std::string pipeline_words(const EncoderOptions& options, jpeg::Size size, unsigned kbps) {
  return "appsrc name=in is-live=true format=time max-buffers=2 block=false caps=\"video/x-raw,format=I420,width=" +
         std::to_string(size.width_px) + ",height=" + std::to_string(size.height_px) +
         ",framerate=" + std::to_string(rate_of(options)) + "/1,colorimetry=bt601,pixel-aspect-ratio=1/1\" ! " +
         encoder_words(options, size, kbps) + " ! appsink name=out sync=false async=false max-buffers=4";
}

void check_codec(Codec codec) {
  if (codec == Codec::Vp8 || has_element("x264enc") || has_element("openh264enc")) return;
  throw Failure{
      Exit::Unavailable,
      "--codec h264: GStreamer has neither x264enc nor openh264enc (apt-get install gstreamer1.0-plugins-ugly "
      "or gstreamer1.0-plugins-bad brings one; vp8 is there)"};
}

}  // namespace

Encoder::Hub::Hub(Engine& the_engine, const EncoderOptions& the_options)
    : engine(the_engine),
      options(the_options),
      bitrate_kbps_(the_options.bitrate_kbps),
      pacer_(the_options.fps.value_or(0)),
      thread_([this] { work(); }) {}

Encoder::Hub::~Hub() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
  drop_pipeline();
}

void Encoder::Hub::put(FramePtr frame) {
  {
    const std::scoped_lock lock(mutex_);
    last_ = frame;
    if (viewers_ == 0) return;
    if (waiting_) ++figures_.superseded;
    waiting_ = std::move(frame);
  }
  changed_.notify_all();
}

void Encoder::Hub::attach(EncodedSink& sink) {
  {
    const std::scoped_lock lock(sinks_mutex_);
    sinks_.push_back(&sink);
  }
  {
    const std::scoped_lock lock(mutex_);
    ++viewers_;
    key_wanted_ = true;
    key_due_ = clock_.steady();
  }
  changed_.notify_all();
}

void Encoder::Hub::detach(EncodedSink& sink) {
  {
    const std::scoped_lock lock(sinks_mutex_);
    std::erase(sinks_, &sink);
  }
  const std::scoped_lock lock(mutex_);
  if (--viewers_ > 0) return;
  waiting_.reset();
  key_wanted_ = false;
}

void Encoder::Hub::request_key() {
  {
    const std::scoped_lock lock(mutex_);
    ++figures_.key_requests;
    if (key_wanted_ || viewers_ == 0) return;
    key_wanted_ = true;
    key_due_ = std::max(last_key_ + kKeySpacing, clock_.steady() + kKeyPatience);
  }
  changed_.notify_all();
}

void Encoder::Hub::set_bitrate(unsigned kbps) {
  const std::scoped_lock lock(mutex_);
  bitrate_kbps_ = kbps;
}

unsigned Encoder::Hub::bitrate_kbps() const {
  const std::scoped_lock lock(mutex_);
  return bitrate_kbps_;
}

std::size_t Encoder::Hub::viewers() const {
  const std::scoped_lock lock(mutex_);
  return viewers_;
}

Encoder::Figures Encoder::Hub::figures() const {
  const std::scoped_lock lock(mutex_);
  return figures_;
}

// The newest frame that is due, or the last one again where a key frame is. Nothing at the end.
std::optional<Encoder::Hub::Job> Encoder::Hub::next_job() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (ending_) return std::nullopt;
    const SteadyTime now = clock_.steady();
    std::optional<SteadyTime> until;
    const bool key = key_wanted_ && now >= last_key_ + kKeySpacing;
    if (waiting_ && pacer_.due(now)) {
      pacer_.passed(now);
      if (key) {
        key_wanted_ = false;
        last_key_ = now;
      }
      return Job{std::exchange(waiting_, nullptr), key, bitrate_kbps_};
    }
    if (waiting_) until = pacer_.due_at(now);
    if (key_wanted_ && last_ && viewers_ > 0) {
      const SteadyTime due = std::max(key_due_, last_key_ + kKeySpacing);
      if (now >= due) {
        key_wanted_ = false;
        last_key_ = now;
        waiting_.reset();  // it is the last one
        return Job{last_, true, bitrate_kbps_};
      }
      until = until ? std::min(*until, due) : due;
    }
    if (until) {
      changed_.wait_until(lock, *until);
    } else {
      changed_.wait(lock);
    }
  }
}

void Encoder::Hub::work() {
  while (const auto job = next_job()) {
    const SteadyTime began = clock_.steady();
    const auto done = encode(*job);
    const auto took = clock_.steady() - began;
    std::string trouble;
    {
      const std::scoped_lock lock(mutex_);
      figures_.encode_time += took;
      if (!done) {
        ++figures_.failed;
        trouble = done.error().text;
        if (last_ == job->frame) last_ = good_;
        // Who waits for a key frame waits on.
        if (job->key) key_wanted_ = true;
      }
      if (trouble == said_) continue;
      said_ = trouble;
    }
    if (!trouble.empty()) engine.impl()->report(Severity::Warning, "frame not encoded: " + trouble);
  }
}

Result<Done> Encoder::Hub::encode(const Job& job) {
  auto raw = raw_picture(job.frame, job.bitrate_kbps);
  if (!raw) return fail(std::move(raw).error());
  if (job.key) {
    gst_element_send_event(encoder_.get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }
  const std::uint64_t running_ns = engine.impl()->running_ns();
  GST_BUFFER_PTS(raw->get()) = running_ns;
  if (gst_app_src_push_buffer(GST_APP_SRC(in_.get()), raw->release()) != GST_FLOW_OK) {
    drop_pipeline();
    return fail(unsupported("the encoder takes no pictures"));
  }
  const SampleRef sample(gst_app_sink_try_pull_sample(GST_APP_SINK(out_.get()), kEncodeTime));
  if (!sample) {
    drop_pipeline();
    return fail(unsupported("the encoder gives no pictures"));
  }
  give_out(job, gst_sample_get_buffer(sample.get()), gst_sample_get_caps(sample.get()), running_ns);
  return Done{};
}

void Encoder::Hub::give_out(const Job& job, GstBuffer* made, GstCaps* caps, std::uint64_t running_ns) {
  // Of x264enc's own times the year 1000 hours after the epoch: what goes out has the time that went in.
  const BufferRef buffer(gst_buffer_copy(made));
  GST_BUFFER_PTS(buffer.get()) = running_ns;
  GST_BUFFER_DTS(buffer.get()) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer.get()) = GST_CLOCK_TIME_NONE;
  const EncodedPicture picture{buffer.get(), caps, job.frame, running_ns,
                               !GST_BUFFER_FLAG_IS_SET(made, GST_BUFFER_FLAG_DELTA_UNIT)};
  {
    const std::scoped_lock lock(mutex_);
    good_ = job.frame;
    ++figures_.encoded;
    figures_.key_frames += picture.key ? 1 : 0;
    figures_.bytes += gst_buffer_get_size(made);
    figures_.size = size_;
    if (picture.key) last_key_ = clock_.steady();
  }
  const std::scoped_lock lock(sinks_mutex_);
  for (EncodedSink* const sink : sinks_) sink->take(picture);
}

Result<BufferRef> Encoder::Hub::raw_picture(const FramePtr& frame, unsigned kbps) {
  const auto header = decoder_.read_header(frame->jpeg.view());
  if (!header) return fail(header.error());
  const jpeg::Size size = encoded_size(header->size, options.size);
  const auto planes = decoder_.decode(frame->jpeg.view(), fitted_size(header->size, size));
  if (!planes) return fail(planes.error());
  if (auto ready = prepare(size, kbps); !ready) return fail(std::move(ready).error());
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, static_cast<guint>(size.width_px),
                            static_cast<guint>(size.height_px));
  BufferRef buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  GstMapInfo map;
  if (!buffer || gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE) == 0) return fail(unsupported("no memory"));
  I420View view;
  view.size = size;
  for (std::size_t plane = 0; plane < 3; ++plane) {
    view.planes.at(plane) = {map.data + info.offset[plane], info.stride[plane]};
  }
  draw_i420(*planes, view);
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

// An encoder for pictures of that size and at that rate.
Result<Done> Encoder::Hub::prepare(jpeg::Size size, unsigned kbps) {
  if (pipeline_ && size_ == size) {
    if (kbps != set_kbps_) {
      const bool in_bits = options.codec == Codec::Vp8 || !has_element("x264enc");
      const char* const property = options.codec == Codec::Vp8 ? "target-bitrate" : "bitrate";
      g_object_set(encoder_.get(), property, in_bits ? kbps * 1000 : kbps, nullptr);
      set_kbps_ = kbps;
    }
    return Done{};
  }
  if (pipeline_) {
    const std::scoped_lock lock(mutex_);
    ++figures_.restarts;
  }
  drop_pipeline();
  auto made = parse_pipeline(pipeline_words(options, size, kbps));
  if (!made) return fail(std::move(made).error());
  engine.impl()->adopt(made->get());
  pipeline_ = std::move(*made);
  in_ = child(pipeline_.get(), "in");
  out_ = child(pipeline_.get(), "out");
  encoder_ = child(pipeline_.get(), "encoder");
  size_ = size;
  set_kbps_ = kbps;
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    drop_pipeline();
    return fail(unsupported("the encoder does not start"));
  }
  return Done{};
}

void Encoder::Hub::drop_pipeline() {
  in_.reset();
  out_.reset();
  encoder_.reset();
  if (pipeline_) engine.impl()->bury(std::move(pipeline_));
}

Encoder::Encoder(Engine& engine, const EncoderOptions& options) {
  check_codec(options.codec);
  hub_ = std::make_shared<Hub>(engine, options);
}
Encoder::~Encoder() = default;
void Encoder::put(FramePtr frame) { hub_->put(std::move(frame)); }
void Encoder::set_bitrate(unsigned kbps) { hub_->set_bitrate(kbps); }
unsigned Encoder::bitrate_kbps() const { return hub_->bitrate_kbps(); }
Codec Encoder::codec() const { return hub_->options.codec; }
std::size_t Encoder::viewers() const { return hub_->viewers(); }
Encoder::Figures Encoder::figures() const { return hub_->figures(); }

}  // namespace fp::rtc
