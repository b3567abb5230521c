// A session that sends the encoder's pictures to one peer.
#pragma once

#include <memory>
#include <optional>

#include "rtc/encoder.h"
#include "rtc/peer.h"

namespace fp::rtc {

/// One peer that watches. It is attached to the encoder while it is connected, begins with a key frame, and gets every
/// picture from then on; when more than a second of them waits (its network thread is stuck), the rest is dropped up to
/// the next key frame. On the loop's thread; destroying it takes no time: the pipeline is taken down elsewhere.
class Viewer {
 public:
  struct Figures {
    std::uint64_t sent = 0;     ///< pictures
    std::uint64_t dropped = 0;  ///< pictures that were encoded while it was connected, and not sent
    std::uint64_t bytes = 0;
    std::uint64_t key_requests = 0;
    std::uint64_t lost_packets = 0;       ///< as its receiver reports say (RFC 3550, 6.4)
    std::optional<double> round_trip_ms;  ///< likewise
    double jitter_ms = 0;
  };
  /// Of a picture that was sent: which RTP timestamp it has.
  struct Stamp {
    std::uint32_t rtp = 0;  ///< 90 kHz
    FramePtr frame;
  };

  /// Throws Failure when GStreamer cannot make a pipeline at all.
  Viewer(Encoder& encoder, const PeerOptions& options, PeerEvents events);
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;
  ~Viewer();

  /// Takes an offer; PeerEvents::described comes later, with an answer. An offer without a line of video gets an answer
  /// and then an offer of ours, whose answer goes to take_answer(); `must_have_video` (WHEP) refuses such a one.
  /// Errors: Malformed; Unsupported (no codec of ours; a second offer). The viewer can only be destroyed then.
  [[nodiscard]] Result<Done> take_offer(std::string_view sdp, bool must_have_video);
  [[nodiscard]] Result<Done> take_answer(std::string_view sdp);
  /// Candidates that are no use are left out silently; at most 64 are taken.
  void take_candidate(const Candidate& candidate);

  [[nodiscard]] PeerState state() const;
  [[nodiscard]] Figures figures() const;
  /// The last picture that was sent; nothing before the first.
  [[nodiscard]] std::optional<Stamp> last() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace fp::rtc
