#include "jpeg/decoder.h"

#include <array>
#include <new>

#include "jpeg/turbo.h"
#include "jpeg/walker.h"

namespace fp::jpeg {
namespace {

unsigned long length(ByteView jpeg) { return static_cast<unsigned long>(jpeg.size()); }

// ceil(side * eighths / 8), as libjpeg-turbo rounds.
int scaled(int side, int eighths) { return (side * eighths + 7) / 8; }
Size scaled(Size size, int eighths) { return {scaled(size.width_px, eighths), scaled(size.height_px, eighths)}; }

// libjpeg-turbo copies whole planes, padding included, out of rows of whole blocks. In some odd sizes the padding
// reaches a sample beyond the last block, and it would read there: such a size is not asked for.
bool blocks_cover_planes(Size size, Sampling sampling, int eighths) {
  const Planes::Layout layout{scaled(size, eighths), sampling};
  for (int index = 0; index < layout.count(); ++index) {
    const int across = index == 0 ? 8 : 8 * chroma_divisor_x(sampling);
    const int down = index == 0 ? 8 : 8 * chroma_divisor_y(sampling);
    const Size blocks{(size.width_px + across - 1) / across, (size.height_px + down - 1) / down};
    const Size padded = layout.padded(index);
    if (padded.width_px > blocks.width_px * eighths || padded.height_px > blocks.height_px * eighths) return false;
  }
  return true;
}

int fitting_eighths(Size size, Sampling sampling, Size at_least) {
  for (int eighths = 1; eighths < 8; ++eighths) {
    const Size smaller = scaled(size, eighths);
    if (smaller.width_px >= at_least.width_px && smaller.height_px >= at_least.height_px &&
        blocks_cover_planes(size, sampling, eighths)) {
      return eighths;
    }
  }
  return 8;
}

Error too_large(Size size) {
  return {Error::Kind::TooLarge, 0,
          "decode: " + std::to_string(size.width_px) + "x" + std::to_string(size.height_px) +
              " is more than 64 million pixels, or a side over 16384"};
}

}  // namespace

void Decoder::Destroy::operator()(void* handle) const { tjDestroy(handle); }

Decoder::Decoder() { renew(); }

void Decoder::renew() {
  handle_.reset(tjInitDecompress());
  if (!handle_) throw std::bad_alloc();
}

Result<Decoder::Header> Decoder::read_header(ByteView jpeg) {
  Size size;
  int sampling = -1;
  int space = -1;
  const int status =
      tjDecompressHeader3(handle_.get(), jpeg.data(), length(jpeg), &size.width_px, &size.height_px, &sampling, &space);
  // An unknown sampling is an error to it, after all else has been found out.
  const bool known = size.width_px > 0 && size.height_px > 0 && space >= 0;
  if (status != 0 && (!known || sampling >= 0)) {
    Error error = turbo::error_of(handle_.get(), "decode");
    // tjDecompressHeader3() leaves the decompressor in the middle of the header that it failed at.
    renew();
    // Beyond 65500 it reads no header at all.
    Walker walker;
    walker.walk(jpeg);
    const Size claimed{walker.info().width_px, walker.info().height_px};
    return fail(claimed == Size{} || within_limits(claimed) ? std::move(error) : too_large(claimed));
  }
  if (!within_limits(size)) return fail(too_large(size));
  if (space == TJCS_CMYK || space == TJCS_YCCK) {
    return fail({Error::Kind::Unsupported, 0, "decode: a picture of four colours, as printers use"});
  }
  Header header{size, std::nullopt};
  if (sampling >= 0 && space != TJCS_RGB) header.sampling = static_cast<Sampling>(sampling);
  return header;
}

Result<Planes> Decoder::decode(ByteView jpeg, Size at_least) {
  const auto header = read_header(jpeg);
  if (!header) return fail(header.error());
  if (!header->sampling) return decode_by_rgb(jpeg, header->size);
  const Sampling sampling = *header->sampling;
  const int eighths = fitting_eighths(header->size, sampling, at_least);
  Planes planes(scaled(header->size, eighths), sampling);
  const Size size = planes.size();
  std::array<unsigned char*, 3> to{};
  std::array<int, 3> strides{};
  for (int index = 0; index < planes.count(); ++index) {
    to[static_cast<std::size_t>(index)] = planes.plane(index);
    strides[static_cast<std::size_t>(index)] = planes.stride(index);
  }
  const auto work = [&](int flags) {
    return tjDecompressToYUVPlanes(handle_.get(), jpeg.data(), length(jpeg), to.data(), size.width_px, strides.data(),
                                   size.height_px, flags);
  };
  if (!turbo::strictly(handle_.get(), work)) return fail(turbo::error_of(handle_.get(), "decode"));
  planes.pad_edges();
  return planes;
}

Result<Planes> Decoder::decode_by_rgb(ByteView jpeg, Size size) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(size.height_px) * 3);
  const auto work = [&](int flags) {
    return tjDecompress2(handle_.get(), jpeg.data(), length(jpeg), rgb.data(), size.width_px, 0, size.height_px,
                         TJPF_RGB, flags);
  };
  if (!turbo::strictly(handle_.get(), work)) return fail(turbo::error_of(handle_.get(), "decode"));
  Planes planes(size, Sampling::Yuv444);
  std::array<unsigned char*, 3> to = {planes.plane(0), planes.plane(1), planes.plane(2)};
  const std::unique_ptr<void, Destroy> encoder(tjInitCompress());
  if (!encoder) throw std::bad_alloc();
  if (tjEncodeYUVPlanes(encoder.get(), rgb.data(), size.width_px, 0, size.height_px, TJPF_RGB, to.data(), nullptr,
                        TJSAMP_444, 0) != 0) {
    return fail(turbo::error_of(encoder.get(), "decode"));
  }
  return planes;
}

}  // namespace fp::jpeg
