// JPEGs that fp::jpeg::Encoder does not make, and what a decoder sees in one: straight from libjpeg-turbo.
#pragma once

#include <cstdio>  // before jpeglib.h, which needs it

#include <jpeglib.h>

#include <csetjmp>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace fp::test {

struct Kind {
  bool progressive = false;
  bool optimised = false;  ///< Huffman tables made for this very picture
  unsigned restart_mcus = 0;
  int width_px = 80;
  int height_px = 48;
  int quality = 80;
  int luma_across = 2;  ///< luma samples to one of chroma
  int luma_down = 2;
  bool gray = false;
  bool cmyk = false;
  bool rgb = false;  ///< no conversion to YCbCr
};

/// A picture with some texture.
inline std::string make_libjpeg(const Kind& kind) {
  jpeg_compress_struct state{};
  jpeg_error_mgr errors{};
  state.err = ::jpeg_std_error(&errors);
  ::jpeg_CreateCompress(&state, JPEG_LIB_VERSION, sizeof state);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  ::jpeg_mem_dest(&state, &memory, &size);
  state.image_width = static_cast<JDIMENSION>(kind.width_px);
  state.image_height = static_cast<JDIMENSION>(kind.height_px);
  state.input_components = kind.cmyk ? 4 : 3;
  state.in_color_space = kind.cmyk ? JCS_CMYK : JCS_RGB;
  ::jpeg_set_defaults(&state);
  if (kind.gray) ::jpeg_set_colorspace(&state, JCS_GRAYSCALE);
  if (kind.rgb) ::jpeg_set_colorspace(&state, JCS_RGB);
  if (!kind.gray && !kind.cmyk && !kind.rgb) {
    state.comp_info[0].h_samp_factor = kind.luma_across;
    state.comp_info[0].v_samp_factor = kind.luma_down;
  }
  ::jpeg_set_quality(&state, kind.quality, TRUE);
  state.optimize_coding = kind.optimised ? TRUE : FALSE;
  state.restart_interval = kind.restart_mcus;
  if (kind.progressive) ::jpeg_simple_progression(&state);
  ::jpeg_start_compress(&state, TRUE);
  std::vector<unsigned char> row(static_cast<std::size_t>(kind.width_px) * (kind.cmyk ? 4 : 3));
  while (state.next_scanline < state.image_height) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<unsigned char>((i * 7 + state.next_scanline * 13 + i * state.next_scanline) & 0xFF);
    }
    unsigned char* rows = row.data();
    ::jpeg_write_scanlines(&state, &rows, 1);
  }
  ::jpeg_finish_compress(&state);
  std::string result(reinterpret_cast<const char*>(memory), size);
  ::jpeg_destroy_compress(&state);
  std::free(memory);
  return result;
}

struct Decoded {
  int width_px = 0;
  int height_px = 0;
  long warnings = 0;
  std::vector<unsigned char> rgb;
};
namespace detail {
struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf escape;
};
}  // namespace detail

/// The quantised DCT coefficients of one component, block by block in rows, 64 each in natural order.
struct Coefficients {
  int blocks_across = 0;
  int blocks_down = 0;
  std::vector<short> values;
  [[nodiscard]] const short* block(int x, int y) const {
    return &values[(static_cast<std::size_t>(y) * static_cast<std::size_t>(blocks_across) +
                    static_cast<std::size_t>(x)) *
                   64];
  }
  friend bool operator==(const Coefficients&, const Coefficients&) = default;
};

/// Of each component; none when libjpeg refuses.
inline std::vector<Coefficients> read_coefficients(std::string_view jpeg) {
  std::vector<Coefficients> result;
  result.reserve(4);
  jpeg_decompress_struct state{};
  detail::Errors errors{};
  state.err = ::jpeg_std_error(&errors.base);
  errors.base.error_exit = [](j_common_ptr common) {
    std::longjmp(reinterpret_cast<detail::Errors*>(common->err)->escape, 1);
  };
  if (setjmp(errors.escape) != 0) {
    ::jpeg_destroy_decompress(&state);
    return {};
  }
  ::jpeg_CreateDecompress(&state, JPEG_LIB_VERSION, sizeof state);
  ::jpeg_mem_src(&state, reinterpret_cast<const unsigned char*>(jpeg.data()), static_cast<unsigned long>(jpeg.size()));
  ::jpeg_read_header(&state, TRUE);
  jvirt_barray_ptr* const arrays = ::jpeg_read_coefficients(&state);
  for (int i = 0; i < state.num_components; ++i) {
    Coefficients& all = result.emplace_back();
    all.blocks_across = static_cast<int>(state.comp_info[i].width_in_blocks);
    all.blocks_down = static_cast<int>(state.comp_info[i].height_in_blocks);
    for (int y = 0; y < all.blocks_down; ++y) {
      JBLOCKARRAY rows = (*state.mem->access_virt_barray)(reinterpret_cast<j_common_ptr>(&state), arrays[i],
                                                          static_cast<JDIMENSION>(y), 1, FALSE);
      all.values.insert(all.values.end(), &rows[0][0][0], &rows[0][0][0] + std::ptrdiff_t{64} * all.blocks_across);
    }
  }
  ::jpeg_finish_decompress(&state);
  ::jpeg_destroy_decompress(&state);
  return result;
}

/// What libjpeg makes of it; no pixels when it refuses.
inline Decoded decode(std::string_view jpeg) {
  Decoded result;
  result.rgb.reserve(1 << 20);
  jpeg_decompress_struct state{};
  detail::Errors errors{};
  state.err = ::jpeg_std_error(&errors.base);
  errors.base.error_exit = [](j_common_ptr common) {
    std::longjmp(reinterpret_cast<detail::Errors*>(common->err)->escape, 1);
  };
  errors.base.output_message = [](j_common_ptr) {};
  if (setjmp(errors.escape) != 0) {
    ::jpeg_destroy_decompress(&state);
    return {};
  }
  ::jpeg_CreateDecompress(&state, JPEG_LIB_VERSION, sizeof state);
  ::jpeg_mem_src(&state, reinterpret_cast<const unsigned char*>(jpeg.data()), static_cast<unsigned long>(jpeg.size()));
  ::jpeg_read_header(&state, TRUE);
  state.out_color_space = JCS_RGB;
  ::jpeg_start_decompress(&state);
  result.width_px = static_cast<int>(state.output_width);
  result.height_px = static_cast<int>(state.output_height);
  const std::size_t stride = static_cast<std::size_t>(state.output_width) * 3;
  result.rgb.resize(stride * state.output_height);
  while (state.output_scanline < state.output_height) {
    unsigned char* row = result.rgb.data() + stride * state.output_scanline;
    ::jpeg_read_scanlines(&state, &row, 1);
  }
  ::jpeg_finish_decompress(&state);
  result.warnings = errors.base.num_warnings;
  ::jpeg_destroy_decompress(&state);
  return result;
}

}  // namespace fp::test
