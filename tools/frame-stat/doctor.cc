#include "frame-stat/doctor.h"

#include <spdlog/fmt/fmt.h>

#include "base/text.h"

namespace fp {
namespace {

using Weight = Finding::Weight;

class Findings {
 public:
  void good(std::string text) { list_.push_back({Weight::Good, std::move(text), ""}); }
  void note(std::string text, std::string who) { list_.push_back({Weight::Note, std::move(text), std::move(who)}); }
  void bad(std::string text, std::string who) { list_.push_back({Weight::Bad, std::move(text), std::move(who)}); }
  [[nodiscard]] std::vector<Finding> take() { return std::move(list_); }

 private:
  std::vector<Finding> list_;
};

void look_at_http(const Framing& framing, Findings& findings) {
  if (!framing.http_head) return;
  if (framing.http_status != 200) {
    findings.bad(fmt::format("the server answered with status {}", framing.http_status), "every client gives up");
  }
  const std::string type = lower(framing.http_content_type);
  if (!type.starts_with("multipart/x-mixed-replace")) {
    findings.bad(fmt::format("Content-Type is '{}'", printable(framing.http_content_type, 80)),
                 "an <img> in a browser shows nothing unless it is multipart/x-mixed-replace");
  }
  if (framing.announced_boundary.empty()) {
    findings.bad("no boundary is announced in Content-Type", "browsers and strict readers show nothing");
  } else if (framing.announced_boundary == "--" + framing.boundary) {
    findings.note(fmt::format("the boundary is announced with its dashes ('{}')", framing.announced_boundary),
                  "VLC warns, ffmpeg with -strict_mime_boundary and strict MIME parsers find no part");
  } else if (!framing.boundary.empty() && framing.announced_boundary != framing.boundary) {
    findings.bad(fmt::format("the boundary announced is '{}', the one used '{}'", framing.announced_boundary,
                             printable(framing.boundary, 80)),
                 "browsers and strict readers show nothing");
  }
}

void look_at_parts(const Framing& framing, Findings& findings) {
  if (framing.bare_jpegs > framing.parts) {
    findings.note("JPEGs follow each other with no multipart around them",
                  "browsers show nothing; ffmpeg needs -f mjpeg and is one frame late; GStreamer needs jpegparse");
    return;
  }
  if (framing.preamble_bytes > 0) {
    findings.bad("text stands in front of the first boundary",
                 "ffmpeg ('Invalid data') and GStreamer refuse the stream");
  }
  if (framing.without_type > 0) {
    findings.bad(fmt::format("{} of {} parts have no Content-Type", framing.without_type, framing.parts),
                 "ffmpeg and GStreamer refuse the stream");
  }
  if (framing.without_length > 0) {
    findings.note(fmt::format("{} of {} parts have no Content-Length", framing.without_length, framing.parts),
                  framing.lf_only > 0
                      ? "ffmpeg, mpv and OpenCV see one endless frame (lines end in LF alone, too)"
                      : "ffmpeg, mpv and OpenCV show each frame one frame late; Mainsail and go2rtc fail");
  } else {
    findings.good("every part has a Content-Length");
  }
  if (framing.wrong_length > 0) {
    findings.bad(fmt::format("{} Content-Lengths are wrong", framing.wrong_length),
                 "most readers show broken pictures or lose the stream");
  }
  if (framing.lf_only > 0) {
    findings.note("header lines end in LF alone, not CRLF",
                  "strict readers refuse them; ffmpeg needs Content-Length then");
  }
  if (framing.closing_boundaries > 0) {
    findings.bad("the closing boundary (--b--) stands between parts",
                 "browsers and strict readers stop after the first frame");
  }
  if (framing.no_line_before_boundary > 0) {
    findings.bad("boundaries follow the JPEG with no line end between",
                 "GStreamer loses the last frame; ffmpeg without Content-Length sees one endless frame");
  }
}

void look_at_tail(const Framing& framing, Findings& findings) {
  if (framing.bare_jpegs > framing.parts) return;
  Framing::Tail tail = Framing::Tail::Nothing;
  std::uint64_t most = 0;
  for (const auto one :
       {Framing::Tail::Nothing, Framing::Tail::Crlf, Framing::Tail::Boundary, Framing::Tail::Headers}) {
    if (framing.tails[static_cast<std::size_t>(one)] <= most) continue;
    most = framing.tails[static_cast<std::size_t>(one)];
    tail = one;
  }
  if (most == 0) return;  // the writer never paused: a file
  switch (tail) {
    case Framing::Tail::Nothing:
      findings.bad("the line end behind a JPEG comes only with the next one",
                   "every browser and GStreamer show each frame one frame late, and GStreamer loses the last");
      break;
    case Framing::Tail::Crlf:
      findings.note("a line end, and no boundary, follows each JPEG at once",
                    "Chromium, Safari and Firefox would show each frame one frame late (see below)");
      break;
    case Framing::Tail::Boundary:
      findings.note("the next boundary follows each JPEG at once, its headers do not",
                    "Chromium and Safari would show each frame one frame late, Firefox not (see below)");
      break;
    case Framing::Tail::Headers:
      findings.good("the next part's headers follow each JPEG at once: no browser shows it late");
      break;
  }
}

void look_at_pictures(const Framing& framing, const Skips& skips, std::uint64_t frames, Findings& findings) {
  if (framing.without_tables > 0) {
    findings.bad(fmt::format("{} of {} JPEGs have no Huffman tables", framing.without_tables, frames),
                 "Safari and everything that uses Apple's ImageIO paints nothing");
  }
  if (framing.progressive > 0) {
    findings.note(fmt::format("{} of {} JPEGs are progressive", framing.progressive, frames),
                  "hardware decoders refuse them, and decoding costs several times as much");
  }
  if (framing.padded > 0) {
    findings.note(fmt::format("{} parts have bytes behind the end of their JPEG", framing.padded),
                  "they are sent for nothing");
  }
  const auto damaged = skips.of(Skip::Truncated) + skips.of(Skip::Corrupt) + skips.of(Skip::NotJpeg);
  if (damaged > 0) {
    findings.bad(fmt::format("{} pictures were cut off, damaged or none at all", damaged),
                 "browsers show torn pictures, Pillow raises an error");
  }
  if (skips.total() > 0) findings.note("skipped: " + skips.describe(), "see frame-stat(1) for the reasons");
  if (framing.with_timestamp == 0) {
    findings.note("no X-Timestamp", "the age of a frame can only be told from its arrival here");
  }
}

}  // namespace

std::vector<Finding> diagnose(const Framing& framing, const Skips& skips, std::uint64_t frames) {
  Findings findings;
  look_at_http(framing, findings);
  if (frames == 0) {
    findings.bad("no whole JPEG was found" + (skips.total() > 0 ? "; skipped: " + skips.describe() : std::string()),
                 "nobody can show it");
    return findings.take();
  }
  look_at_parts(framing, findings);
  look_at_tail(framing, findings);
  look_at_pictures(framing, skips, frames, findings);
  return findings.take();
}

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  bool late = false;
  for (const Finding& finding : findings) {
    const char* const mark = finding.weight == Weight::Good   ? "ok   "
                             : finding.weight == Weight::Note ? "note "
                                                              : "BAD  ";
    text += mark + finding.text + "\n";
    if (!finding.who.empty()) text += "       -> " + finding.who + "\n";
    late = late || finding.who.ends_with("(see below)");
  }
  if (late) {
    text +=
        "A server may frame differently for a browser. To see what a browser gets:\n"
        "  curl -sNi -H 'Accept: image/*' URL | frame-stat --doctor\n";
  }
  return text;
}

std::string json_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    const char* const weight = finding.weight == Weight::Good   ? "good"
                               : finding.weight == Weight::Note ? "note"
                                                                : "bad";
    text += fmt::format(R"({}{{"weight":"{}","text":"{}","who":"{}"}})", text.empty() ? "" : ",", weight,
                        json_escape(finding.text), json_escape(finding.who));
  }
  return "[" + text + "]\n";
}

}  // namespace fp
