#include "rtc/ingest.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <cstring>
#include <deque>
#include <mutex>

#include "jpeg/encoder.h"
#include "rtc/i420.h"
#include "rtc/session.h"
#include "rtc/webrtc_api.h"

namespace fp::rtc {
namespace {

constexpr std::size_t kMostWaiting = 8;      // whole pictures for the loop
constexpr std::size_t kMaxText = 64u << 10;  // of a text message, either way
constexpr guint64 kMostUnsent = 1u << 20;    // of what send_text() was given

Error unsupported(std::string text) { return Error{Error::Kind::Unsupported, 0, std::move(text)}; }

// What of it we take: one payload type, in the words of webrtcbin's caps.
CapsRef wanted_caps(Codec codec, int payload_type) {
  GstCaps* const caps = gst_caps_new_simple("application/x-rtp", "media", G_TYPE_STRING, "video", "clock-rate",
                                            G_TYPE_INT, 90'000, "payload", G_TYPE_INT, payload_type, "encoding-name",
                                            G_TYPE_STRING, codec == Codec::Vp8 ? "VP8" : "H264", nullptr);
  return CapsRef(caps);
}

}  // namespace

class Inlet;

struct Ingest::Impl : std::enable_shared_from_this<Ingest::Impl> {
  Impl(Engine& engine, const IngestOptions& the_options, IngestEvents the_events)
      : options(the_options), events(std::move(the_events)) {
    PeerEvents inner;
    inner.described = [this](const char* type, const std::string& sdp) {
      const auto keep = shared_from_this();
      if (alive && events.peer.described) events.peer.described(type, sdp);
    };
    inner.connected = [this] {
      const auto keep = shared_from_this();
      if (alive && events.peer.connected) events.peer.connected();
    };
    inner.gone = [this](const std::string& why) {
      const auto keep = shared_from_this();
      if (!alive) return;
      stop();
      if (events.peer.gone) events.peer.gone(why);
    };
    session = std::make_shared<Session>(engine.impl(), options.peer, std::move(inner));
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { stop(); }

  Result<Done> take_offer(std::string_view text);
  void hand_on();
  void opened(const char* how);
  void stop();

  const IngestOptions options;
  IngestEvents events;
  std::shared_ptr<Session> session;
  std::shared_ptr<Inlet> inlet;  // once there is an offer
  bool alive = true;
};

// What comes from the peer, on GStreamer's threads; tells the session's owner on the loop's. Threads of the pipeline
// may be the last to hold it: nothing in here waits for them.
class Inlet : public std::enable_shared_from_this<Inlet> {
 public:
  Inlet(Caller call, std::weak_ptr<Ingest::Impl> owner, const IngestOptions& options)
      : call_(std::move(call)),
        owner_(std::move(owner)),
        quality_percent_(options.quality_percent),
        chunks_(options.max_frame_bytes) {}
  void adopt_channel(GObject* found);
  void adopt_track(GstPad* pad);
  /// All that is whole and was not handed on yet.
  [[nodiscard]] std::deque<IncomingPicture> take();
  bool send_text(const std::string& text);
  void close();
  [[nodiscard]] Ingest::Figures figures() const;

 private:
  void message(ByteView bytes);
  void text(const gchar* text);
  void queue(IncomingPicture picture);
  GstFlowReturn decoded(GstAppSink* sink);
  [[nodiscard]] Result<Blob> encoded(GstSample* sample);
  void end(const std::string& why) {
    post([why](Ingest::Impl& impl) { impl.session->end(why); });
  }
  template <typename Function>
  void post(Function function) const {
    call_.post([weak = owner_, tell = std::move(function)](Session&) {
      const auto owner = weak.lock();
      if (owner && owner->alive) tell(*owner);
    });
  }

  const Caller call_;
  const std::weak_ptr<Ingest::Impl> owner_;
  const int quality_percent_;
  jpeg::Encoder encoder_;  // of the track's thread alone
  mutable std::mutex mutex_;
  bool closed_ = false;
  ObjectRef channel_;  // the first one
  Chunks chunks_;
  std::deque<IncomingPicture> waiting_;
  bool posted_ = false;
  bool track_ = false;
  std::uint32_t track_pictures_ = 0;
  Ingest::Figures figures_;
};

Result<Done> Ingest::Impl::take_offer(std::string_view text) {
  if (inlet) return fail(unsupported("a second offer: end this session and begin another"));
  auto description = read_description(text);
  if (!description) return fail(std::move(description).error());
  const Media* const video = description->video(/*receives=*/false);
  std::optional<std::pair<Codec, int>> codec;
  if (video != nullptr) {
    for (const Media::Format& format : video->formats) {
      if (!codec) codec.emplace(format.codec, format.payload_type);
    }
  }
  if (!codec && description->data() == nullptr) {
    return fail(unsupported(video != nullptr ? "the offer's video is neither VP8 nor H.264"
                                             : "the offer has neither a data channel nor video that sends"));
  }
  inlet = std::make_shared<Inlet>(session->caller(), weak_from_this(), options);
  const std::weak_ptr<Inlet> weak = inlet;
  connect(session->webrtc(), "on-data-channel",
          std::function<void(GstElement*, GObject*)>([weak](GstElement*, GObject* found) {
            if (const auto self = weak.lock()) self->adopt_channel(found);
          }));
  connect(session->webrtc(), "pad-added", std::function<void(GstElement*, GstPad*)>([weak](GstElement*, GstPad* pad) {
            const auto self = weak.lock();
            if (self && GST_PAD_IS_SRC(pad)) self->adopt_track(pad);
          }));
  if (codec) {
    // Before the offer is set: webrtcbin looks for a transceiver that fits each line.
    const CapsRef caps = wanted_caps(codec->first, codec->second);
    GObject* raw = nullptr;
    g_signal_emit_by_name(session->webrtc(), "add-transceiver", kRecvOnly, caps.get(), &raw);
    const ObjectRef transceiver(raw);
    if (transceiver) g_object_set(transceiver.get(), "do-nack", TRUE, nullptr);
  }
  if (auto done = session->start(); !done) return done;
  session->answer(description->sdp);
  return Done{};
}

void Ingest::Impl::opened(const char* how) {
  if (events.open) events.open(how);
}

void Ingest::Impl::hand_on() {
  for (IncomingPicture& picture : inlet->take()) {
    if (alive && events.picture) events.picture(std::move(picture));
  }
}

void Ingest::Impl::stop() {
  alive = false;
  if (inlet) inlet->close();
  session->close();
}

void Inlet::adopt_channel(GObject* found) {
  {
    const std::scoped_lock lock(mutex_);
    if (channel_ || closed_) return;  // one is enough: what comes over others is nobody's
    channel_.reset(G_OBJECT(g_object_ref(found)));
  }
  const std::weak_ptr<Inlet> weak = weak_from_this();
  connect(found, "on-message-data", std::function<void(GObject*, GBytes*)>([weak](GObject*, GBytes* data) {
            const auto self = weak.lock();
            if (!self || data == nullptr) return;
            gsize size = 0;
            const void* const bytes = g_bytes_get_data(data, &size);
            self->message(ByteView(static_cast<const std::uint8_t*>(bytes), size));
          }));
  connect(found, "on-message-string", std::function<void(GObject*, gchar*)>([weak](GObject*, gchar* text) {
            const auto self = weak.lock();
            if (self && text != nullptr) self->text(text);
          }));
  post([](Ingest::Impl& impl) { impl.opened("data"); });
}

void Inlet::message(ByteView bytes) {
  call_.heard();
  const std::scoped_lock lock(mutex_);
  figures_.bytes += bytes.size();
  if (auto picture = chunks_.add(bytes)) queue(std::move(*picture));
}

void Inlet::text(const gchar* text) {
  call_.heard();
  std::string copy(text, strnlen(text, kMaxText + 1));
  if (copy.size() > kMaxText || g_utf8_validate(copy.data(), static_cast<gssize>(copy.size()), nullptr) == 0) return;
  post([said = std::move(copy)](Ingest::Impl& impl) {
    if (impl.events.text) impl.events.text(said);
  });
}

// Under the mutex.
void Inlet::queue(IncomingPicture picture) {
  if (closed_) return;
  if (waiting_.size() >= kMostWaiting) {
    waiting_.pop_front();
    ++figures_.superseded;
  }
  waiting_.push_back(std::move(picture));
  if (!std::exchange(posted_, true)) post([](Ingest::Impl& impl) { impl.hand_on(); });
}

std::deque<IncomingPicture> Inlet::take() {
  const std::scoped_lock lock(mutex_);
  posted_ = false;
  figures_.pictures += waiting_.size();
  return std::exchange(waiting_, {});
}

// A track: decoded and made JPEG here. Its newest picture wins at each step.
void Inlet::adopt_track(GstPad* pad) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  const GstStructure* const words = caps ? gst_caps_get_structure(caps.get(), 0) : nullptr;
  const char* const encoding = words != nullptr ? gst_structure_get_string(words, "encoding-name") : nullptr;
  const bool vp8 = g_strcmp0(encoding, "VP8") == 0;
  {
    const std::scoped_lock lock(mutex_);
    if ((!vp8 && g_strcmp0(encoding, "H264") != 0) || track_ || closed_) return;
    track_ = true;
  }
  const std::string decoder =
      vp8 ? "rtpvp8depay request-keyframe=true wait-for-keyframe=true ! vp8dec threads=1"
          : "rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse ! openh264dec";
  const std::string text = decoder +
                           " ! video/x-raw,format=I420 ! queue leaky=downstream max-size-buffers=1 max-size-bytes=0"
                           " max-size-time=0 ! appsink name=out sync=false max-buffers=1 drop=true emit-signals=true";
  GError* raw = nullptr;
  GstElement* const bin = gst_parse_bin_from_description(text.c_str(), TRUE, &raw);
  const std::unique_ptr<GError, FreeError> error(raw);
  if (bin == nullptr) return end(error ? error->message : "no decoder");
  const ElementRef out = child(bin, "out");
  connect(out.get(), "new-sample",
          std::function<GstFlowReturn(GstAppSink*)>([weak = std::weak_ptr<Inlet>(weak_from_this())](GstAppSink* sink) {
            const auto self = weak.lock();
            return self ? self->decoded(sink) : GST_FLOW_EOS;
          }));
  const GstRef<GstObject> pipeline(gst_object_get_parent(GST_OBJECT(GST_PAD_PARENT(pad))));
  gst_bin_add(GST_BIN(pipeline.get()), bin);
  gst_element_sync_state_with_parent(bin);
  const GstRef<GstPad> in(gst_element_get_static_pad(bin, "sink"));
  if (gst_pad_link(pad, in.get()) != GST_PAD_LINK_OK) {
    return end("its video cannot be decoded");
  }
  post([](Ingest::Impl& impl) {
    impl.session->watch_for_silence();
    impl.opened("track");
  });
}

GstFlowReturn Inlet::decoded(GstAppSink* sink) {
  const SampleRef sample(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  call_.heard();
  auto jpeg = encoded(sample.get());
  const std::scoped_lock lock(mutex_);
  if (!jpeg) {
    ++figures_.failed;
    return GST_FLOW_OK;
  }
  IncomingPicture picture;
  picture.bytes.assign(jpeg->data(), jpeg->data() + jpeg->size());
  picture.number = track_pictures_++;
  figures_.bytes += picture.bytes.size();
  queue(std::move(picture));
  return GST_FLOW_OK;
}

// videoconvert of GStreamer 1.22 leaves the range as it is between two pictures of the same format: blacks were grey.
Result<Blob> Inlet::encoded(GstSample* sample) {
  GstVideoInfo info;
  GstVideoFrame frame;
  const GstCaps* const caps = gst_sample_get_caps(sample);
  if (caps == nullptr || gst_video_info_from_caps(&info, caps) == 0 ||
      gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ) == 0) {
    return fail(unsupported("not a picture"));
  }
  I420Source source;
  source.size = {GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)};
  source.full = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  for (guint plane = 0; plane < 3; ++plane) {
    source.planes.at(plane) = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane));
    source.strides.at(plane) = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane);
  }
  auto jpeg = jpeg::within_limits(source.size) ? encoder_.encode(read_i420(source), quality_percent_)
                                               : fail(unsupported("too large a picture"));
  gst_video_frame_unmap(&frame);
  return jpeg;
}

bool Inlet::send_text(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  if (!channel_ || text.size() > kMaxText) return false;
  guint64 unsent = 0;
  g_object_get(channel_.get(), "buffered-amount", &unsent, nullptr);
  if (unsent > kMostUnsent) return false;
  g_signal_emit_by_name(channel_.get(), "send-string", text.c_str());
  return true;
}

void Inlet::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  channel_.reset();
  waiting_.clear();
}

Ingest::Figures Inlet::figures() const {
  const std::scoped_lock lock(mutex_);
  Ingest::Figures now = figures_;
  now.chunks = chunks_.figures();
  return now;
}

Ingest::Ingest(Engine& engine, const IngestOptions& options, IngestEvents events)
    : impl_(std::make_shared<Impl>(engine, options, std::move(events))) {}
Ingest::~Ingest() { impl_->stop(); }
Result<Done> Ingest::take_offer(std::string_view sdp) { return impl_->take_offer(sdp); }
void Ingest::take_candidate(const Candidate& candidate) { impl_->session->take_candidate(candidate); }

bool Ingest::send_text(const std::string& text) { return impl_->inlet && impl_->inlet->send_text(text); }
PeerState Ingest::state() const { return impl_->session->state(); }
Ingest::Figures Ingest::figures() const { return impl_->inlet ? impl_->inlet->figures() : Figures(); }

}  // namespace fp::rtc
