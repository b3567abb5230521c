// What frame-detect is told on its command line.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "detect/engine.h"

namespace fp {

struct Options {
  std::string detector;
  std::string model;
  std::string layout = "auto";
  std::string labels;
  double confidence = 0;  // 0: as the detector's makers have it
  double iou = 0;         // likewise
  int keypoints = 0;      // 0: as the model says
  std::string skeleton;
  int input_width_px = 0;
  int input_height_px = 0;
  std::string input_range = "auto";
  std::string input_order = "auto";
  int threads = 0;  // 0: half the cores
  std::string ort_library;

  std::string overlay = "none";
  std::string garment;
  int quality_percent = 80;
  std::string json;
  std::string once;
  double passthrough_fps = 0;
  std::string gate = "open";
  bool control_headers = false;

  std::vector<std::string> zones;
  std::string mask;
  double min_area_percent = 0.5;
  double threshold = 12;
  std::chrono::milliseconds learn{2000};

  std::string features = "pixels";
  std::chrono::milliseconds window{9000};
  std::chrono::milliseconds stride{1000};
  double clock_fps = 0;

  std::vector<std::string> given;  // the options that were, "--zone" for one: note_given()
};

void add_options(CLI::App& app, Options& options);

/// Which of them were given, after the command line was read: an option that would do nothing is refused.
void note_given(const CLI::App& app, Options& options);

/// What they say together. Throws Failure (usage) when that makes no sense.
void check(const Options& options, const cli::Common& common);

/// Loads and warms up what they name. Throws Failure, with what to do about it: 69 without the library or a model that
/// fits, 66 without the file, 65 for what cannot be read, 64 for options that this model has no use for.
[[nodiscard]] std::unique_ptr<detect::Engine> make_engine(const Options& options);
/// Of --overlay, with the garment where there is one. Throws Failure.
[[nodiscard]] detect::Overlay overlay_of(const Options& options);
}  // namespace fp
