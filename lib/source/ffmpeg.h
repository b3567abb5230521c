// Whatever ffmpeg can read: a file, or a URL with its password.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/report.h"
#include "base/result.h"
#include "frame/input.h"
#include "frame/producer.h"
#include "jpeg/picture.h"

namespace fp {

/// Frames from an ffmpeg child. The child gets the source on its standard input, as a script of its concat demuxer, so
/// that no password is in anybody's arguments; in what it says on standard error the secret is blotted out.
///
/// A file is read at its own pace and ends; a URL is opened again with back-off, also when no frame comes for
/// `timeout`.
class Ffmpeg final : public Producer {
 public:
  struct Options {
    std::optional<jpeg::Size> size;  ///< scaled to it
    double fps = 0;                  ///< dropped or repeated to it by ffmpeg; 0: as the source has it
    int quality_percent = 80;
    bool every_frame = false;  ///< each picture of a file, as fast as they are taken
    std::chrono::milliseconds timeout{5000};
    std::size_t max_frame_bytes = 32u << 20;
  };
  /// `source`: a path, or a URL with its secret. Errors: Io when the file is not there, or ffmpeg is not.
  [[nodiscard]] static Result<std::unique_ptr<Ffmpeg>> open(const std::string& source, Options options,
                                                            const Clock& clock, Report report);

  [[nodiscard]] Wait wait() const override;
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return input_.ended(); }
  [[nodiscard]] std::uint64_t superseded() const override { return input_.superseded(); }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] const Input& input() const { return input_; }

 private:
  Ffmpeg(Input input, bool live, Options options, const Clock& clock);

  Input input_;
  const bool live_;
  Options options_;
  const Clock* clock_;
  SteadyTime last_frame_;
  std::string trouble_;
};

}  // namespace fp
