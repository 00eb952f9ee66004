//! From the bytes that were uploaded to a small picture of our own.
//!
//! Decoders are large, and what they are fed here may have been made to hurt them. So nothing is decoded before its kind
//! and its measures are known to be within bounds; what it takes in memory is computed first, not found out; and a decoder
//! that panics has found the picture damaged. How many work at once is for the caller to bound.

use std::io::Cursor;
use std::panic::catch_unwind;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::{BadPicture, Jpeg};
use crate::policy;

/// How much of the picture is kept at first, and what is tried where that makes too large a file.
const QUALITIES: [u8; 4] = [85, 70, 50, 25];

/// Makes a small JPEG without any metadata of an uploaded PNG or JPEG: upright, at most [`policy::PORTRAIT_SIDE`] pixels on
/// its longer side, at most [`policy::PORTRAIT_BYTES`] long.
///
/// # Errors
/// What is wrong with the upload.
pub fn redraw(upload: &[u8]) -> Result<Jpeg, BadPicture> {
    if upload.len() > policy::PORTRAIT_UPLOAD {
        return Err(BadPicture::TooLarge);
    }
    let format = kind_of(upload)?;
    catch_unwind(|| draw(upload, format)).unwrap_or(Err(BadPicture::Damaged))
}

/// By its first bytes, whatever it is called.
fn kind_of(upload: &[u8]) -> Result<ImageFormat, BadPicture> {
    // GIF, BMP, TIFF twice, WebP, and the family of HEIC and AVIF.
    let others: [(usize, &[u8]); 6] =
        [(0, b"GIF8"), (0, b"BM"), (0, b"II*\0"), (0, b"MM\0*"), (8, b"WEBP"), (4, b"ftyp")];
    let has = |at: usize, mark: &[u8]| upload.get(at..).is_some_and(|rest| rest.starts_with(mark));
    match () {
        () if upload.is_empty() => Err(BadPicture::Empty),
        () if has(0, b"\x89PNG\r\n\x1a\n") => Ok(ImageFormat::Png),
        () if has(0, b"\xff\xd8\xff") => Ok(ImageFormat::Jpeg),
        () if others.iter().any(|(at, mark)| has(*at, mark)) || is_svg(upload) => Err(BadPicture::OtherKind),
        () => Err(BadPicture::NoPicture),
    }
}

fn is_svg(upload: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&upload[..upload.len().min(1024)]);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    start.starts_with("<svg") || (start.starts_with("<?xml") && start.contains("<svg"))
}

fn draw(upload: &[u8], format: ImageFormat) -> Result<Jpeg, BadPicture> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(policy::PORTRAIT_UPLOAD_SIDE);
    limits.max_image_height = Some(policy::PORTRAIT_UPLOAD_SIDE);
    limits.max_alloc = Some(policy::PORTRAIT_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(upload), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| bad(&e))?;
    // The decoder of JPEGs keeps to no limit but those of the sides: what it will take is known here.
    let (width, height) = decoder.dimensions();
    let kept = match format {
        ImageFormat::Jpeg => kept_of_jpeg(upload)?,
        _ => 0,
    };
    let needed = decoder.total_bytes().saturating_add(u64::from(width) * u64::from(height) * kept);
    if needed > policy::PORTRAIT_MEMORY {
        return Err(BadPicture::TooManyPixels);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| bad(&e))?;
    let side = policy::PORTRAIT_SIDE;
    if width.max(height) > side {
        picture = picture.thumbnail(side, side);
    }
    picture.apply_orientation(orientation);
    encode(&on_white(picture))
}

fn bad(e: &ImageError) -> BadPicture {
    match e {
        ImageError::Limits(_) => BadPicture::TooManyPixels,
        _ => BadPicture::Damaged,
    }
}

/// Walks a JPEG from marker to marker (ITU-T T.81 annex B): bytes that are kept of each pixel, beside the picture itself,
/// until the last one is read. That is none where one scan holds all, and two of each component where there are more.
///
/// # Errors
/// A JPEG that does not come to its end: decoders fill up with grey what it lacks.
fn kept_of_jpeg(jpeg: &[u8]) -> Result<u64, BadPicture> {
    let (mut at, mut scans, mut components, mut progressive) = (2, 0, 0, false);
    loop {
        let rest = jpeg.get(at..).ok_or(BadPicture::Damaged)?;
        // Coded data holds an FF only before 00 or between its restart markers.
        let marks = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd8 | 0xff);
        let found = rest.windows(2).position(marks).ok_or(BadPicture::Damaged)?;
        let (code, segment) = (rest[found + 1], &rest[found + 2..]);
        match code {
            0xd9 if scans == 0 => return Err(BadPicture::Damaged),
            0xd9 => return Ok(if scans > 1 || progressive { 2 * components } else { 0 }),
            0xda => scans += 1,
            // The frame: precision, height, width, and how many components there are.
            0xc0..=0xcf if !matches!(code, 0xc4 | 0xc8 | 0xcc) => {
                components = u64::from(*segment.get(7).ok_or(BadPicture::Damaged)?);
                progressive = code != 0xc0 && code != 0xc1;
            }
            _ => {}
        }
        let length = segment.first_chunk().map(|two| usize::from(u16::from_be_bytes(*two)));
        at += found + 2 + length.filter(|l| *l >= 2).ok_or(BadPicture::Damaged)?;
    }
}

/// What shows through is white, as on paper.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, alpha] = picture.get_pixel(x, y).0;
        let over = |colour: u8| {
            let (colour, alpha) = (u32::from(colour), u32::from(alpha));
            u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([r, g, b].map(over))
    })
}

fn encode(picture: &RgbImage) -> Result<Jpeg, BadPicture> {
    for quality in QUALITIES {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).map_err(|e| bad(&e))?;
        if bytes.len() <= policy::PORTRAIT_BYTES {
            return Ok(Jpeg(bytes));
        }
    }
    // Not even noise comes here.
    Err(BadPicture::TooManyPixels)
}

#[cfg(test)]
mod tests;
