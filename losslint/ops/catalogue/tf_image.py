"""``tf.image`` and ``tf.signal``: similarity, variation, resizing, spectra."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node
from losslint.ops.axes import batched, constant_of, nodes_in, opaque_row, row, sized, unknown
from losslint.ops.catalogue.tf_parts import along_axis
from losslint.ops.dtypes import dtype_of
from losslint.ops.extents import extent_of
from losslint.ops.registry import CONSTANTS, api

CONSTANTS.update(
    {
        f"tensorflow.image.ResizeMethod.{name}": name.lower()
        for name in ("BILINEAR", "NEAREST_NEIGHBOR", "BICUBIC", "AREA")
    }
)


def _image_axes(x: Node) -> tuple[int, ...] | None:
    """Height, width and channels: the last three axes. A stack of unknown rank is taken to be (B, H, W, C)."""
    if x.shape.rank is not None:
        return (-3, -2, -1) if x.shape.rank >= 3 else None
    return (1, 2, 3) if len(x.shape.head) <= 1 and not len(x.shape.tail) > 2 else (-3, -2, -1)


# -- comparing ---------------------------------------------------------------------------------------------------------
@api("tensorflow.image.ssim")
def ssim(
    g: Graph,
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: Any = 0.01,
    k2: Any = 0.03,
    return_index_map: Any = False,
) -> Node:
    """Structural similarity of each pair of images, in [-1, 1]."""
    return g.op("ssim", img1, img2, low=-1.0, high=1.0)


@api("tensorflow.image.ssim_multiscale")
def ssim_multiscale(
    g: Graph,
    img1: Any,
    img2: Any,
    max_val: Any = None,  # often among keywords that are not known
    power_factors: Any = (),
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: Any = 0.01,
    k2: Any = 0.03,
) -> Node:
    """The weighted product over several scales; negative similarities are cut off at 0."""
    return g.op("ssim", img1, img2, low=0.0, high=1.0)


@api("tensorflow.image.psnr")
def psnr(g: Graph, a: Any, b: Any, max_val: Any, name: Any = None) -> Node:
    """20 log10(max) - 10 log10(mean((a - b)^2)) of each pair of images. Infinite for equal images."""
    with g.library():
        error = g.op("square", g.op("sub", a, b))
        mean = g.op("mean", error, axis=_image_axes(error), keepdims=False)
        peak = g.op("mul", 20 / math.log(10), g.op("log", max_val))
        return g.op("sub", peak, g.op("mul", 10 / math.log(10), g.op("log", mean)))


def neighbours(g: Graph, x: Node, axis: int) -> Node:
    """x[1:] - x[:-1] along ``axis``."""
    later, earlier = (g.op("index", x, key=along_axis(axis, part)) for part in (slice(1, None), slice(None, -1)))
    return g.op("sub", later, earlier)


@api("tensorflow.image.total_variation")
def total_variation(g: Graph, images: Any, name: Any = None) -> Node:
    """The sum of the absolute differences of neighbouring pixels of each image."""
    x = g.lift(images)
    axes = _image_axes(x)
    if axes is None:
        return unknown(g, "the variation of what is no image", x)
    with g.library():
        parts = [g.op("sum", g.op("abs", neighbours(g, x, axis)), axis=axes, keepdims=False) for axis in axes[:2]]
        return g.op("add", *parts)


@api("tensorflow.image.image_gradients")
def image_gradients(g: Graph, image: Any) -> tuple[Node, Node]:
    """Differences to the pixel below and to the right, of the shape of the image."""
    x = g.lift(image)
    with g.library():
        below, right = (batched(g.op("conv", x, how=f"image_gradient_{way}"), x.shape, x.dtype) for way in "yx")
    return below, right


@api("tensorflow.image.sobel_edges")
def sobel_edges(g: Graph, image: Any) -> Node:
    """Two filtered images along a new last axis."""
    x = g.lift(image)
    node = g.op("conv", g.op("expand_dims", x, axis=-1), how="sobel")
    if x.shape.rank is not None:
        return batched(node, Shape((*x.shape.head, Dim(2))))
    return batched(node, Shape(x.shape.head, x.shape.rest, (*x.shape.tail, Dim(2))))


# -- resizing ----------------------------------------------------------------------------------------------------------
def resized(g: Graph, x: Node, height: Any, width: Any) -> Node:
    """Images of another size."""
    sides = [extent_of(side) or Dim.fresh() for side in (height, width)]
    node = g.op("conv", x, how="resize")
    if x.shape.rank in (3, 4):
        return batched(node, Shape((*x.shape.head[:-3], *sides, x.shape.head[-1])))
    if x.shape.rank is None and len(x.shape.head) == 1 and len(x.shape.tail) <= 1:
        return batched(node, Shape((*x.shape.head, *sides, *(x.shape.tail or (Dim.fresh(),)))))
    return node


def _resize(g: Graph, images: Any, size: Any, *args: Any, **kwargs: Any) -> Node:
    """Images of another height and width."""
    known = constant_of(size)
    pair = known if isinstance(known, tuple) and len(known) == 2 else size
    height, width = pair if isinstance(pair, (list, tuple)) and len(pair) == 2 else (None, None)
    return resized(g, g.lift(images), height, width)


row(
    "image.resize image.resize_images image.resize_bilinear image.resize_bicubic image.resize_nearest_neighbor",
    _resize,
)


@api("tensorflow.image.resize_area")
def resize_area(g: Graph, images: Any, size: Any, align_corners: Any = False, name: Any = None) -> Node:
    """Images of another height and width; there is no gradient."""
    return _resize(g, g.op("stop_gradient", images), size)


@api(
    "tensorflow.image.resize_with_crop_or_pad",
    "tensorflow.image.resize_image_with_crop_or_pad",
    "tensorflow.image.resize_with_pad",
    "tensorflow.image.resize_image_with_pad",
)
def resize_with_pad(g: Graph, image: Any, target_height: Any, target_width: Any, *args: Any, **kwargs: Any) -> Node:
    """Images of another size, the sides kept in proportion."""
    return resized(g, g.lift(image), target_height, target_width)


@api("tensorflow.image.crop_to_bounding_box", "tensorflow.image.pad_to_bounding_box")
def bounding_box(
    g: Graph, image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Node:
    """A part of the images, or the images on a larger ground."""
    return resized(g, g.lift(image), target_height, target_width)


@api("tensorflow.image.crop_and_resize")
def crop_and_resize(
    g: Graph, image: Any, boxes: Any, box_indices: Any = None, crop_size: Any = None, *args: Any, **kwargs: Any
) -> Node:
    """Parts of the images, one for each box, all of one size."""
    return unknown(g, "parts of images", image, boxes, box_indices)


@api(
    "tensorflow.image.central_crop",
    "tensorflow.image.rot90",
    "tensorflow.image.transpose",
    "tensorflow.image.transpose_image",
)
def moved(g: Graph, image: Any, *args: Any, **kwargs: Any) -> Node:
    """Images turned, or cut."""
    return g.op("conv", image, how="resize")


@api("tensorflow.image.flip_left_right")
def flip_left_right(g: Graph, image: Any) -> Node:
    """Images mirrored."""
    return g.op("reverse", image, axis=(-2,))


@api("tensorflow.image.flip_up_down")
def flip_up_down(g: Graph, image: Any) -> Node:
    """Images upside down."""
    return g.op("reverse", image, axis=(-3,))


# -- colours -----------------------------------------------------------------------------------------------------------
def _same_shape(how: str) -> Callable[..., Node]:
    def expansion(g: Graph, image: Any = None, *args: Any, images: Any = None, **kwargs: Any) -> Node:
        x = g.lift(image if image is not None else images)
        x = g.op("stop_gradient", x) if how.endswith(_NO_GRADIENT) else x
        return batched(g.op("conv", x, *nodes_in(args, kwargs), how=how), x.shape, x.dtype)

    return expansion


_NO_GRADIENT = ("hsv_to_rgb", "contrast", "hue", "saturation")
"""Kernels of which TensorFlow has registered no gradient; a tape raises LookupError there."""


for _name in [
    "rgb_to_yuv",
    "yuv_to_rgb",
    "rgb_to_yiq",
    "yiq_to_rgb",
    "rgb_to_hsv",
    "hsv_to_rgb",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "random_brightness",
    "random_contrast",
    "random_hue",
    "random_saturation",
    "random_flip_left_right",
    "random_flip_up_down",
    "stateless_random_brightness",
    "stateless_random_contrast",
    "stateless_random_hue",
    "stateless_random_saturation",
    "stateless_random_flip_left_right",
    "stateless_random_flip_up_down",
]:
    row(f"image.{_name}", _same_shape(_name))


@api("tensorflow.image.rgb_to_grayscale")
def rgb_to_grayscale(g: Graph, images: Any, name: Any = None) -> Node:
    """A weighted mean of the channels."""
    x = g.lift(images)
    return batched(g.op("conv", x, how="rgb_to_grayscale"), sized(x.shape, -1, Dim(1)), x.dtype)


@api("tensorflow.image.grayscale_to_rgb")
def grayscale_to_rgb(g: Graph, images: Any, name: Any = None) -> Node:
    """The one channel three times."""
    return g.op("repeat", images, repeats=3, axis=-1)


@api("tensorflow.image.convert_image_dtype")
def convert_image_dtype(g: Graph, image: Any, dtype: Any, saturate: Any = False, name: Any = None) -> Node:
    """Another type, and for integers another scale."""
    x, wanted = g.lift(image), dtype_of(dtype)
    node = g.op("cast", x, dtype=wanted)
    return g.op("div", node, 255.0) if x.dtype == "uint8" and wanted in ("float32", "float16", "float64") else node


@api("tensorflow.image.per_image_standardization", "tensorflow.image.per_image_whitening")
def per_image_standardization(g: Graph, image: Any) -> Node:
    """(x - mean) / max(std, 1 / sqrt(n)) of each image."""
    x = g.lift(image)
    axes = _image_axes(x)
    with g.library():
        center = g.op("sub", x, g.op("mean", x, axis=axes, keepdims=True))
        spread = g.op("maximum", g.op("std", x, axis=axes, keepdims=True), 1e-6)
        return batched(g.op("div", center, spread), x.shape)


@api("tensorflow.image.extract_patches", "tensorflow.extract_image_patches", "tensorflow.image.extract_image_patches")
def extract_patches(g: Graph, images: Any, *args: Any, **kwargs: Any) -> Node:
    """Windows of the images, laid out in the channels."""
    return g.op("conv", images, how="extract_patches")


# -- spectra -----------------------------------------------------------------------------------------------------------
def _spectrum(axes: int, dtype: str | None, same_shape: bool, differentiable: bool = True) -> Callable[..., Node]:
    """A linear map over the last ``axes`` axes; the axes before them keep apart."""

    def expansion(g: Graph, input: Any = None, *args: Any, input_tensor: Any = None, **kwargs: Any) -> Node:
        x = g.lift(input if input is not None else input_tensor)
        if (x.shape.min_rank <= axes and x.shape.rank is None) or (x.shape.rank is not None and x.shape.rank <= axes):
            return unknown(g, "a spectrum over the first axis", x)
        shape = x.shape
        for axis in range(-1, -axes - 1, -1) if not same_shape else ():
            shape = sized(shape, axis, None if shape.axis(axis) is None else Dim.fresh())
        x = x if differentiable else g.op("stop_gradient", x)
        return batched(g.op("conv", x, how="spectrum"), shape, dtype)

    return expansion


for _prefix in ("signal.", "spectral.", ""):
    row(f"{_prefix}fft {_prefix}ifft", _spectrum(1, "complex64", True))
    row(f"{_prefix}fft2d {_prefix}ifft2d", _spectrum(2, "complex64", True))
    row(f"{_prefix}fft3d {_prefix}ifft3d", _spectrum(3, "complex64", True))
for _prefix in ("signal.", "spectral."):
    row(f"{_prefix}rfft", _spectrum(1, "complex64", False))
    row(f"{_prefix}rfft2d", _spectrum(2, "complex64", False))
    row(f"{_prefix}rfft3d", _spectrum(3, "complex64", False, differentiable=False))
    row(f"{_prefix}irfft {_prefix}dct {_prefix}idct", _spectrum(1, "float32", False))
    row(f"{_prefix}irfft2d", _spectrum(2, "float32", False))
    row(f"{_prefix}irfft3d", _spectrum(3, "float32", False))


@api("tensorflow.signal.stft", "tensorflow.signal.frame", "tensorflow.signal.mdct", "tensorflow.contrib.signal.stft")
def framed(g: Graph, signals: Any = None, *args: Any, signal: Any = None, **kwargs: Any) -> Node:
    """The last axis cut into overlapping frames: it becomes two."""
    x = g.lift(signals if signals is not None else signal)
    if x.shape.rank is None or x.shape.rank < 2:
        return unknown(g, "frames of a signal", x)
    node = g.op("conv", x, how="frames")
    dtype = "complex64" if g.api.endswith("stft") else x.dtype
    return batched(node, Shape((*x.shape.head[:-1], Dim.fresh(), Dim.fresh())), dtype)


@api("tensorflow.signal.fftshift", "tensorflow.signal.ifftshift")
def fftshift(g: Graph, x: Any, axes: Any = None, name: Any = None) -> Node:
    """Half of a spectrum moved to the other end."""
    node = g.lift(x)
    return unknown(g, "a shifted spectrum", node, shape=node.shape)


def _window(g: Graph, window_length: Any, *args: Any, **kwargs: Any) -> Node:
    """A fixed window of values in [0, 1]."""
    return g.op("random", low=0.0, high=1.0, shape=(window_length,), dtype="float32")


row(
    "signal.hann_window signal.hamming_window signal.kaiser_window signal.vorbis_window "
    "signal.kaiser_bessel_derived_window",
    _window,
)
opaque_row(
    "a signal that is not followed",
    "signal.inverse_stft signal.inverse_mdct signal.overlap_and_add signal.mfccs_from_log_mel_spectrograms "
    "signal.fftnd signal.ifftnd signal.rfftnd signal.irfftnd fftnd ifftnd rfftnd irfftnd "
    "signal.linear_to_mel_weight_matrix signal.inverse_stft_window_fn",
)
opaque_row(
    "boxes, files and crops of images",
    "image.non_max_suppression image.non_max_suppression_overlaps image.non_max_suppression_padded "
    "image.non_max_suppression_with_scores image.combined_non_max_suppression image.draw_bounding_boxes "
    "image.decode_image image.decode_jpeg image.decode_png image.decode_gif image.decode_bmp image.encode_jpeg "
    "image.encode_png image.random_crop image.stateless_random_crop image.sample_distorted_bounding_box "
    "image.stateless_sample_distorted_bounding_box image.extract_glimpse image.random_jpeg_quality "
    "image.adjust_jpeg_quality image.stateless_random_jpeg_quality image.generate_bounding_box_proposals "
    "image.decode_and_crop_jpeg image.extract_jpeg_shape image.is_jpeg image.decode_webp image.decode_jxl",
)
