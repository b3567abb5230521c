#include "uvcsim/pictures.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace fp::rig {
namespace {

namespace fs = std::filesystem;

constexpr int kMostPx = 4096;
constexpr std::size_t kMostPictures = 1000;

std::optional<FrameSize> parse_size(std::string_view text) {
  const auto sides = split(text, 'x');
  if (sides.size() != 2) return std::nullopt;
  const auto side = [](std::string_view digits) {
    auto number = parse_integer<int>(digits);
    if (number && (*number < 16 || *number > kMostPx || *number % 2 != 0)) number.reset();
    return number;
  };
  const auto width = side(sides[0]);
  const auto height = side(sides[1]);
  if (!width || !height) return std::nullopt;
  return FrameSize{*width, *height};
}

Result<std::vector<std::uint8_t>> read_picture(const fs::path& path, std::size_t limit) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(io_error(path.string()));
  std::vector<std::uint8_t> bytes(limit + 1);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) return fail(io_error(path.string()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.empty()) return malformed(path.string() + ": empty");
  if (bytes.size() > limit) {
    return fail({Error::Kind::TooLarge, 0, path.string() + ": more than " + std::to_string(limit) + " bytes"});
  }
  return bytes;
}

}  // namespace

Result<Pictures> load_pictures(const std::string& spec) {
  const std::size_t equals = spec.find('=');
  const auto size = parse_size(std::string_view(spec).substr(0, equals));
  if (!size || equals == std::string::npos) {
    return malformed("'" + spec + "' is not WxH=DIR with even sides of 16 to " + std::to_string(kMostPx));
  }
  const fs::path dir = spec.substr(equals + 1);
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".jpg" && paths.size() < kMostPictures) paths.push_back(it->path());
  }
  if (error) return fail(io_error(dir.string(), error.value()));
  if (paths.empty()) return malformed(dir.string() + ": no *.jpg");
  std::ranges::sort(paths);

  Pictures pictures{*size, {}};
  for (const fs::path& path : paths) {
    auto jpeg = read_picture(path, size->bytes() - std::min(size->bytes(), kPaddingBytes));
    if (!jpeg) return fail(std::move(jpeg).error());
    pictures.jpegs.push_back(std::move(*jpeg));
  }
  return pictures;
}

std::vector<std::uint8_t> without_huffman_tables(ByteView jpeg) {
  constexpr std::uint8_t kDht = 0xC4;
  constexpr std::uint8_t kSos = 0xDA;
  std::vector<std::uint8_t> out;
  std::size_t at = std::min<std::size_t>(2, jpeg.size());
  out.assign(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(at));
  while (at + 4 <= jpeg.size() && jpeg[at] == 0xFF && jpeg[at + 1] != kSos) {
    const std::size_t length = 2 + (std::size_t{jpeg[at + 2]} << 8 | jpeg[at + 3]);
    const ByteView segment = jpeg.subspan(at, std::min(length, jpeg.size() - at));
    if (jpeg[at + 1] != kDht) out.insert(out.end(), segment.begin(), segment.end());
    at += segment.size();
  }
  out.insert(out.end(), jpeg.begin() + static_cast<std::ptrdiff_t>(at), jpeg.end());
  return out;
}

std::vector<std::uint8_t> draw_yuyv(FrameSize size, std::uint64_t number) {
  std::vector<std::uint8_t> out(size.bytes());
  const std::size_t line_bytes = static_cast<std::size_t>(size.width_px) * 2;
  for (std::size_t y = 0; y < static_cast<std::size_t>(size.height_px); ++y) {
    const auto grey = static_cast<std::uint8_t>(y + 2 * number);
    for (std::size_t x = 0; x < line_bytes; x += 2) {
      out[y * line_bytes + x] = grey;
      out[y * line_bytes + x + 1] = 128;
    }
  }
  return out;
}

}  // namespace fp::rig
