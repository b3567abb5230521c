// A session that receives pictures from one peer: over a data channel, or as a track of video.
#pragma once

#include <memory>
#include <string>

#include "jpeg/picture.h"
#include "rtc/chunks.h"
#include "rtc/engine.h"
#include "rtc/peer.h"

namespace fp::rtc {

struct IngestOptions {
  PeerOptions peer;
  std::size_t max_frame_bytes = 32u << 20;
  int quality_percent = 85;  ///< of the JPEG that a track's pictures become
};

/// All on the loop's thread, as PeerEvents.
struct IngestEvents {
  PeerEvents peer;
  /// A data channel is open, or the first picture of a track has come.
  std::function<void(const char* how)> open;  ///< "data" or "track"
  /// A whole picture; not looked at further when it came over a data channel, a JPEG when from a track. When the loop
  /// is busy the newest take the place of older ones: at most 8 wait (Ingest::Figures::superseded).
  std::function<void(IncomingPicture picture)> picture;
  /// A text message of the data channel, valid UTF-8, at most 64 KiB.
  std::function<void(const std::string& text)> text;
};

/// One peer that sends. Destroying it takes no time.
class Ingest {
 public:
  struct Figures {
    Chunks::Figures chunks;
    std::uint64_t pictures = 0;    ///< handed on
    std::uint64_t superseded = 0;  ///< whole, and never handed on
    std::uint64_t failed = 0;      ///< of a track: could not be decoded
    std::uint64_t bytes = 0;
    std::uint64_t key_requests = 0;  ///< that we sent
  };
  /// Throws Failure when GStreamer cannot make a pipeline at all.
  Ingest(Engine& engine, const IngestOptions& options, IngestEvents events);
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;
  ~Ingest();

  /// Errors: Malformed; Unsupported (neither data channels nor video of a codec that we know; a second offer).
  [[nodiscard]] Result<Done> take_offer(std::string_view sdp);
  void take_candidate(const Candidate& candidate);
  /// Over the first data channel; false: there is none, or too much waits.
  bool send_text(const std::string& text);

  [[nodiscard]] PeerState state() const;
  [[nodiscard]] Figures figures() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace fp::rtc
