#include "rtc/ingest.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

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

struct Ingest::Impl : std::enable_shared_from_this<Ingest::Impl> {
  Impl(Engine& engine, const IngestOptions& the_options, IngestEvents the_events)
      : options(the_options), events(std::move(the_events)), chunks(the_options.max_frame_bytes) {
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
  void adopt_channel(GObject* found);
  void message(ByteView bytes);
  void queue(IncomingPicture picture);
  void hand_on();
  void opened(const char* how);
  void adopt_track(GstPad* pad);
  GstFlowReturn decoded(GstAppSink* sink);
  Result<Blob> encoded(GstSample* sample);
  void stop();
  template <typename Function>
  void post(Function function) {
    session->post([weak = weak_from_this(), call = std::move(function)](Session&) {
      const auto self = weak.lock();
      if (self && self->alive) call(*self);
    });
  }

  const IngestOptions options;
  IngestEvents events;
  std::shared_ptr<Session> session;
  bool offered = false;
  bool alive = true;

  // Also of GStreamer's threads.
  mutable std::mutex mutex;
  ObjectRef channel;  // the first one
  Chunks chunks;
  std::deque<IncomingPicture> waiting;
  bool posted = false;
  bool track = false;
  std::uint32_t track_pictures = 0;
  jpeg::Encoder encoder;  // of the track's thread alone
  Figures figures;
};

Result<Done> Ingest::Impl::take_offer(std::string_view text) {
  if (offered) return fail(unsupported("a second offer: end this session and begin another"));
  auto description = read_description(text);
  if (!description) return fail(std::move(description).error());
  offered = true;
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
  const auto weak = weak_from_this();
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

// On a thread of webrtcbin's; the channel's callbacks come on one thread, too.
void Ingest::Impl::adopt_channel(GObject* found) {
  {
    const std::scoped_lock lock(mutex);
    if (channel) return;  // one is enough: what comes over others is nobody's
    channel.reset(G_OBJECT(g_object_ref(found)));
  }
  const auto weak = weak_from_this();
  connect(found, "on-message-data", std::function<void(GObject*, GBytes*)>([weak](GObject*, GBytes* data) {
            const auto self = weak.lock();
            if (!self || data == nullptr) return;
            gsize size = 0;
            const void* const bytes = g_bytes_get_data(data, &size);
            self->session->heard();
            self->message(ByteView(static_cast<const std::uint8_t*>(bytes), size));
          }));
  connect(
      found, "on-message-string", std::function<void(GObject*, gchar*)>([weak](GObject*, gchar* text) {
        const auto self = weak.lock();
        if (!self || text == nullptr) return;
        std::string copy(text, strnlen(text, kMaxText + 1));
        if (copy.size() > kMaxText || g_utf8_validate(copy.data(), static_cast<gssize>(copy.size()), nullptr) == 0) {
          return;
        }
        self->post([said = std::move(copy)](Impl& impl) {
          if (impl.events.text) impl.events.text(said);
        });
      }));
  post([](Impl& impl) { impl.opened("data"); });
}

void Ingest::Impl::opened(const char* how) {
  if (events.open) events.open(how);
}

void Ingest::Impl::message(ByteView bytes) {
  const std::scoped_lock lock(mutex);
  figures.bytes += bytes.size();
  if (auto picture = chunks.add(bytes)) queue(std::move(*picture));
}

// Under the mutex.
void Ingest::Impl::queue(IncomingPicture picture) {
  if (waiting.size() >= kMostWaiting) {
    waiting.pop_front();
    ++figures.superseded;
  }
  waiting.push_back(std::move(picture));
  if (!std::exchange(posted, true)) post([](Impl& impl) { impl.hand_on(); });
}

void Ingest::Impl::hand_on() {
  std::deque<IncomingPicture> pictures;
  {
    const std::scoped_lock lock(mutex);
    posted = false;
    pictures.swap(waiting);
    figures.pictures += pictures.size();
  }
  for (IncomingPicture& picture : pictures) {
    if (alive && events.picture) events.picture(std::move(picture));
  }
}

// A track: decoded and made JPEG here. Its newest picture wins at each step.
void Ingest::Impl::adopt_track(GstPad* pad) {
  const CapsRef caps(gst_pad_get_current_caps(pad));
  const GstStructure* const words = caps ? gst_caps_get_structure(caps.get(), 0) : nullptr;
  const char* const encoding = words != nullptr ? gst_structure_get_string(words, "encoding-name") : nullptr;
  const bool vp8 = g_strcmp0(encoding, "VP8") == 0;
  {
    const std::scoped_lock lock(mutex);
    if ((!vp8 && g_strcmp0(encoding, "H264") != 0) || track) return;
    track = true;
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
  if (bin == nullptr) {
    return post([why = std::string(error ? error->message : "no decoder")](Impl& impl) { impl.session->end(why); });
  }
  const ElementRef out = child(bin, "out");
  connect(out.get(), "new-sample",
          std::function<GstFlowReturn(GstAppSink*)>([weak = weak_from_this()](GstAppSink* sink) {
            const auto self = weak.lock();
            return self ? self->decoded(sink) : GST_FLOW_EOS;
          }));
  const GstRef<GstObject> pipeline(gst_object_get_parent(GST_OBJECT(GST_PAD_PARENT(pad))));
  gst_bin_add(GST_BIN(pipeline.get()), bin);
  gst_element_sync_state_with_parent(bin);
  const GstRef<GstPad> in(gst_element_get_static_pad(bin, "sink"));
  if (gst_pad_link(pad, in.get()) != GST_PAD_LINK_OK) {
    return post([](Impl& impl) { impl.session->end("its video cannot be decoded"); });
  }
  post([](Impl& impl) {
    impl.session->watch_for_silence();
    impl.opened("track");
  });
}

GstFlowReturn Ingest::Impl::decoded(GstAppSink* sink) {
  const SampleRef sample(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  session->heard();
  auto jpeg = encoded(sample.get());
  const std::scoped_lock lock(mutex);
  if (!jpeg) {
    ++figures.failed;
    return GST_FLOW_OK;
  }
  IncomingPicture picture;
  picture.bytes.assign(jpeg->data(), jpeg->data() + jpeg->size());
  picture.number = track_pictures++;
  figures.bytes += picture.bytes.size();
  queue(std::move(picture));
  return GST_FLOW_OK;
}

// videoconvert of GStreamer 1.22 leaves the range as it is between two pictures of the same format: blacks were grey.
Result<Blob> Ingest::Impl::encoded(GstSample* sample) {
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
  auto jpeg = jpeg::within_limits(source.size) ? encoder.encode(read_i420(source), options.quality_percent)
                                               : fail(unsupported("too large a picture"));
  gst_video_frame_unmap(&frame);
  return jpeg;
}

void Ingest::Impl::stop() {
  alive = false;
  {
    const std::scoped_lock lock(mutex);
    channel.reset();
    waiting.clear();
  }
  session->close();
}

Ingest::Ingest(Engine& engine, const IngestOptions& options, IngestEvents events)
    : impl_(std::make_shared<Impl>(engine, options, std::move(events))) {}
Ingest::~Ingest() { impl_->stop(); }
Result<Done> Ingest::take_offer(std::string_view sdp) { return impl_->take_offer(sdp); }
void Ingest::take_candidate(const Candidate& candidate) { impl_->session->take_candidate(candidate); }

bool Ingest::send_text(const std::string& text) {
  const std::scoped_lock lock(impl_->mutex);
  if (!impl_->channel || text.size() > kMaxText) return false;
  guint64 unsent = 0;
  g_object_get(impl_->channel.get(), "buffered-amount", &unsent, nullptr);
  if (unsent > kMostUnsent) return false;
  g_signal_emit_by_name(impl_->channel.get(), "send-string", text.c_str());
  return true;
}

PeerState Ingest::state() const { return impl_->session->state(); }

Ingest::Figures Ingest::figures() const {
  const std::scoped_lock lock(impl_->mutex);
  Figures now = impl_->figures;
  now.chunks = impl_->chunks.figures();
  return now;
}

}  // namespace fp::rtc
