#include "rtc/viewer.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <algorithm>
#include <mutex>
#include <random>

#include "rtc/encoder_hub.h"
#include "rtc/session.h"
#include "rtc/webrtc_api.h"

namespace fp::rtc {
namespace {

constexpr unsigned kMostWaiting = 4;  // pictures between the encoder and the network; more means that nobody takes them
constexpr std::uint64_t kRtpClock = 90'000;
constexpr int kOwnPayloadType = 96;  // of offers that we make

Error unsupported(std::string text) { return Error{Error::Kind::Unsupported, 0, std::move(text)}; }

std::uint32_t random_number() {
  std::random_device device;
  return device();
}

struct FreeStructure {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};

const char* encoding_name(Codec codec) { return codec == Codec::Vp8 ? "VP8" : "H264"; }

CapsRef rtp_caps(Codec codec, int payload_type, std::uint32_t ssrc) {
  GstCaps* const caps =
      gst_caps_new_simple("application/x-rtp", "media", G_TYPE_STRING, "video", "clock-rate", G_TYPE_INT,
                          static_cast<int>(kRtpClock), "ssrc", G_TYPE_UINT, ssrc, "payload", G_TYPE_INT, payload_type,
                          "encoding-name", G_TYPE_STRING, encoding_name(codec), nullptr);
  if (codec == Codec::H264) {
    gst_caps_set_simple(caps, "packetization-mode", G_TYPE_STRING, "1", "profile", G_TYPE_STRING,
                        "constrained-baseline", nullptr);
  }
  return CapsRef(caps);
}

// Into the caps of what a payloader is given, so that H.264 is what was negotiated.
const char* input_words(Codec codec) {
  return codec == Codec::Vp8 ? "video/x-vp8"
                             : "video/x-h264,stream-format=byte-stream,alignment=au,profile=constrained-baseline";
}

std::string payloader_words(Codec codec) {
  return codec == Codec::Vp8 ? "rtpvp8pay name=pay mtu=1200 picture-id-mode=15-bit"
                             : "rtph264pay name=pay mtu=1200 aggregate-mode=zero-latency config-interval=-1";
}

}  // namespace

struct Viewer::Impl final : EncodedSink, std::enable_shared_from_this<Viewer::Impl> {
  Impl(Encoder& encoder, const PeerOptions& options, PeerEvents the_events)
      : hub(encoder.hub()), events(std::move(the_events)) {
    PeerEvents inner;
    inner.described = [this](const char* type, const std::string& sdp) { described(type, sdp); };
    inner.connected = [this] { connected(); };
    inner.gone = [this](const std::string& why) { gone(why); };
    session = std::make_shared<Session>(hub->engine.impl(), options, std::move(inner));
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  virtual ~Impl() { stop(); }

  Result<Done> take_offer(std::string_view text, bool must_have_video);
  Result<Done> add_video(int payload_type);
  Result<Done> prefer(GstPad* pad, GstCaps* caps);
  void offer_video();
  void watch_key_requests();
  void key_requested();
  void watch_reports();
  void described(const char* type, const std::string& sdp);
  void connected();
  void gone(const std::string& why);
  void stop();
  void take(const EncodedPicture& picture) override;
  [[nodiscard]] Figures figures_now() const;
  void add_report(Figures& now) const;

  const std::shared_ptr<Encoder::Hub> hub;
  PeerEvents events;
  std::shared_ptr<Session> session;
  bool offered = false;         // by the peer, once
  bool waits_for_data = false;  // the peer's data channel, after which we may offer our video
  bool attached = false;
  bool told_connected = false;
  bool alive = true;
  bool video = false;
  ObjectRef rtp;  // the session of RTP, once connected
  const std::uint32_t ssrc = random_number();
  const std::uint32_t first_timestamp = random_number();

  // The encoder's thread and ours.
  mutable std::mutex mutex;
  ElementRef source;
  CapsRef caps;
  bool needs_key = true;
  Figures figures;
  std::optional<Stamp> stamp;
};

Result<Done> Viewer::Impl::take_offer(std::string_view text, bool must_have_video) {
  if (offered) return fail(unsupported("a second offer: end this session and begin another"));
  auto description = read_description(text);
  if (!description) return fail(std::move(description).error());
  offered = true;
  const Media* const line = description->video(/*receives=*/true);
  if (line != nullptr) {
    const auto number = payload_type(*line, hub->options.codec);
    if (!number) {
      return fail(unsupported(std::string("the offer has no ") + encoding_name(hub->options.codec) +
                              " that we could send (this server sends " + name_of(hub->options.codec) + ")"));
    }
    if (auto done = add_video(*number); !done) return done;
    if (auto done = session->start(); !done) return done;
    session->answer(description->sdp);
    return Done{};
  }
  if (must_have_video) {
    return fail(
        unsupported("the offer has no line of video that receives: call addTransceiver('video', {direction: "
                    "'recvonly'}) before createOffer()"));
  }
  if (description->media.empty()) {
    // webrtcbin makes no answer to that. Ours says as little, and the video is offered to the peer.
    if (auto done = add_video(kOwnPayloadType); !done) return done;
    if (auto done = session->start(); !done) return done;
    session->caller().post([weak = weak_from_this()](Session&) {
      const auto self = weak.lock();
      if (!self || !self->alive) return;
      if (self->events.described) self->events.described("answer", empty_answer());
      if (self->alive) self->session->offer();
    });
    return Done{};
  }
  if (description->data() == nullptr) {
    return fail(unsupported("the offer has neither video that receives nor a data channel"));
  }
  // An offer of ours must repeat the line of the data channel, which webrtcbin does when that is open.
  connect(session->webrtc(), "on-data-channel",
          std::function<void(GstElement*, GObject*)>(
              [call = session->caller(), weak = weak_from_this()](GstElement*, GObject*) {
                call.post([weak](Session&) {
                  if (const auto viewer = weak.lock()) viewer->offer_video();
                });
              }));
  waits_for_data = true;
  if (auto done = session->start(); !done) return done;
  session->answer(description->sdp);
  return Done{};
}

void Viewer::Impl::offer_video() {
  if (!alive || !std::exchange(waits_for_data, false)) return;
  if (auto done = add_video(kOwnPayloadType); !done) return session->end(done.error().text);
  session->offer();
}

Result<Done> Viewer::Impl::add_video(int number) {
  const Codec codec = hub->options.codec;
  auto made = make_element("appsrc");
  if (!made) return fail(std::move(made).error());
  GError* raw = nullptr;
  GstElement* const bin = gst_parse_bin_from_description(payloader_words(codec).c_str(), TRUE, &raw);
  const std::unique_ptr<GError, FreeError> error(raw);
  if (bin == nullptr) return fail(unsupported(error ? error->message : "no payloader"));
  const ElementRef pay = child(bin, "pay");
  g_object_set(pay.get(), "pt", static_cast<guint>(number), "ssrc", ssrc, "timestamp-offset", first_timestamp, nullptr);
  const CapsRef input(gst_caps_from_string(input_words(codec)));
  g_object_set(made->get(), "is-live", TRUE, "format", static_cast<int>(GST_FORMAT_TIME), "max-buffers",
               guint64{2} * kMostWaiting, "max-bytes", static_cast<guint64>(0), "block", FALSE, "caps", input.get(),
               nullptr);
  gst_bin_add_many(GST_BIN(session->pipeline()), made->get(), bin, nullptr);
  const CapsRef output = rtp_caps(codec, number, ssrc);
  GstPadTemplate* const kind = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(session->webrtc()), "sink_%u");
  const GstRef<GstPad> pad(gst_element_request_pad(session->webrtc(), kind, nullptr, output.get()));
  if (!pad) return fail(unsupported("webrtcbin takes no video"));
  GObject* raw_transceiver = nullptr;
  g_object_get(pad.get(), "transceiver", &raw_transceiver, nullptr);
  const ObjectRef transceiver(raw_transceiver);
  if (!transceiver) return fail(unsupported("webrtcbin has no transceiver for video"));
  // The SSRC stands in the answer by these caps: else browsers know only that of retransmissions, and show nothing.
  g_object_set(transceiver.get(), "direction", kSendOnly, "codec-preferences", output.get(), "do-nack", TRUE, nullptr);
  const GstRef<GstPad> out(gst_element_get_static_pad(bin, "src"));
  if (gst_element_link(made->get(), bin) == 0 || gst_pad_link(out.get(), pad.get()) != GST_PAD_LINK_OK) {
    return fail(unsupported("the payloader cannot be linked"));
  }
  gst_element_sync_state_with_parent(bin);
  gst_element_sync_state_with_parent(made->get());
  {
    const std::scoped_lock lock(mutex);
    source = std::move(*made);
  }
  video = true;
  watch_key_requests();
  return Done{};
}

// A peer that has lost what cannot be sent again asks for a key frame (RFC 4585, 6.3.1; RFC 5104, 4.3.1).
void Viewer::Impl::watch_key_requests() {
  const GstRef<GstPad> pad(gst_element_get_static_pad(source.get(), "src"));
  struct Watch {
    Caller call;
    std::weak_ptr<Impl> viewer;
  };
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        if (gst_video_event_is_force_key_unit(GST_PAD_PROBE_INFO_EVENT(info)) == 0) return GST_PAD_PROBE_OK;
        const Watch& watch = *static_cast<Watch*>(data);
        watch.call.post([weak = watch.viewer](Session&) {
          if (const auto self = weak.lock()) self->key_requested();
        });
        return GST_PAD_PROBE_DROP;
      },
      new Watch{session->caller(), weak_from_this()}, [](gpointer data) { delete static_cast<Watch*>(data); });
}

void Viewer::Impl::key_requested() {
  if (!alive) return;
  {
    const std::scoped_lock lock(mutex);
    ++figures.key_requests;
  }
  hub->request_key();
}

// Receiver reports come each second or so, and are the sign of life of a peer that only watches.
void Viewer::Impl::watch_reports() {
  const ElementRef rtpbin(gst_bin_get_by_name(GST_BIN(session->webrtc()), "rtpbin"));
  if (!rtpbin) return;
  GObject* raw = nullptr;
  g_signal_emit_by_name(rtpbin.get(), "get-internal-session", 0U, &raw);
  if (raw == nullptr) return;
  rtp.reset(raw);
  connect(
      rtp.get(), "on-receiving-rtcp",
      std::function<void(GObject*, GstBuffer*)>([call = session->caller()](GObject*, GstBuffer*) { call.heard(); }));
  session->watch_for_silence();
}

void Viewer::Impl::described(const char* type, const std::string& sdp) {
  const auto keep = shared_from_this();  // who is told may let go
  if (alive && events.described) events.described(type, sdp);
}

void Viewer::Impl::connected() {
  const auto keep = shared_from_this();
  if (!alive) return;
  if (video && !std::exchange(attached, true)) {
    watch_reports();
    hub->attach(*this);
  }
  if (!std::exchange(told_connected, true) && events.connected) events.connected();
}

void Viewer::Impl::gone(const std::string& why) {
  const auto keep = shared_from_this();
  if (!alive) return;
  stop();
  if (events.gone) events.gone(why);
}

void Viewer::Impl::stop() {
  alive = false;
  if (std::exchange(attached, false)) hub->detach(*this);
  {
    const std::scoped_lock lock(mutex);
    source.reset();
  }
  session->close();
}

void Viewer::Impl::take(const EncodedPicture& picture) {
  const std::scoped_lock lock(mutex);
  if (!source) return;
  GstAppSrc* const to = GST_APP_SRC(source.get());
  if (!needs_key && gst_app_src_get_current_level_buffers(to) >= kMostWaiting) {
    needs_key = true;
    hub->request_key();
  }
  if (needs_key && (!picture.key || gst_app_src_get_current_level_buffers(to) >= kMostWaiting)) {
    ++figures.dropped;
    return;
  }
  needs_key = false;
  if (!caps || gst_caps_is_equal(caps.get(), picture.caps) == 0) {
    caps.reset(gst_caps_ref(picture.caps));
    gst_app_src_set_caps(to, picture.caps);
  }
  if (gst_app_src_push_buffer(to, gst_buffer_ref(picture.buffer)) != GST_FLOW_OK) {
    ++figures.dropped;
    return;
  }
  ++figures.sent;
  figures.bytes += gst_buffer_get_size(picture.buffer);
  const auto ticks = static_cast<std::uint32_t>(gst_util_uint64_scale(picture.running_ns, kRtpClock, GST_SECOND));
  stamp = Stamp{first_timestamp + ticks, picture.frame};
}

// What the peer's last receiver report said of our stream.
void Viewer::Impl::add_report(Figures& now) const {
  GstStructure* raw = nullptr;
  g_object_get(rtp.get(), "stats", &raw, nullptr);
  if (raw == nullptr) return;
  const std::unique_ptr<GstStructure, FreeStructure> stats(raw);
  const GValue* const list = gst_structure_get_value(stats.get(), "source-stats");
  if (list == nullptr) return;
  auto* const sources = static_cast<GValueArray*>(g_value_get_boxed(list));
  for (guint index = 0; sources != nullptr && index < sources->n_values; ++index) {
    const GstStructure* const source_stats = gst_value_get_structure(sources->values + index);
    gboolean has_report = FALSE;
    gst_structure_get_boolean(source_stats, "have-rb", &has_report);
    if (has_report == 0) continue;
    guint about = 0;
    gint lost = 0;
    guint round_trip = 0;
    guint jitter = 0;
    gst_structure_get(source_stats, "rb-ssrc", G_TYPE_UINT, &about, "rb-packetslost", G_TYPE_INT, &lost,
                      "rb-round-trip", G_TYPE_UINT, &round_trip, "rb-jitter", G_TYPE_UINT, &jitter, nullptr);
    if (about != ssrc) continue;
    now.lost_packets = static_cast<std::uint64_t>(std::max(0, lost));
    if (round_trip > 0) now.round_trip_ms = 1000.0 * round_trip / 65536;
    now.jitter_ms = 1000.0 * jitter / kRtpClock;
  }
}

Viewer::Figures Viewer::Impl::figures_now() const {
  Figures now;
  {
    const std::scoped_lock lock(mutex);
    now = figures;
  }
  if (rtp) add_report(now);
  return now;
}

Viewer::Viewer(Encoder& encoder, const PeerOptions& options, PeerEvents events)
    : impl_(std::make_shared<Impl>(encoder, options, std::move(events))) {}
Viewer::~Viewer() { impl_->stop(); }
Result<Done> Viewer::take_offer(std::string_view sdp, bool must_have_video) {
  return impl_->take_offer(sdp, must_have_video);
}
Result<Done> Viewer::take_answer(std::string_view sdp) {
  auto description = read_description(sdp);
  if (!description) return fail(std::move(description).error());
  return impl_->session->take_answer(*description);
}
void Viewer::take_candidate(const Candidate& candidate) { impl_->session->take_candidate(candidate); }
PeerState Viewer::state() const { return impl_->session->state(); }
Viewer::Figures Viewer::figures() const { return impl_->figures_now(); }
std::optional<Viewer::Stamp> Viewer::last() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->stamp;
}

}  // namespace fp::rtc
