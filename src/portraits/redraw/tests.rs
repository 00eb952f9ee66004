//! What is made of what is uploaded, and what is refused before it costs anything.

use image::{ExtendedColorType, ImageEncoder, Rgb, Rgba, RgbaImage};

use super::*;

/// A picture whose left half is red and whose right half is blue.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) })
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn read(jpeg: &Jpeg) -> RgbImage {
    image::load_from_memory_with_format(jpeg.as_bytes(), ImageFormat::Jpeg).unwrap().into_rgb8()
}

fn is_red(pixel: Rgb<u8>) -> bool {
    pixel.0[0] > 180 && pixel.0[2] < 80
}

/// The bytes of a JPEG with another segment after its first marker.
fn with_segment(jpeg: &[u8], code: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, code], &length, content, &jpeg[2..]].concat()
}

/// `Exif` with an orientation and nothing else (TIFF 6.0, big endian).
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif
}

/// A PNG that says it is so large; its data is short.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut png = encoded(&halves(8, 8), ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = !0_u32;
    for byte in &png[12..29] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    png[29..33].copy_from_slice(&(!crc).to_be_bytes());
    png
}

#[test]
fn a_large_picture_is_made_small_and_a_small_one_stays_as_it_is() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let small = read(&redraw(&encoded(&halves(1200, 900), format)).unwrap());
        assert_eq!(small.dimensions(), (480, 360));
        assert!(is_red(*small.get_pixel(10, 180)) && !is_red(*small.get_pixel(470, 180)));
        assert_eq!(read(&redraw(&encoded(&halves(90, 120), format)).unwrap()).dimensions(), (90, 120));
    }
    assert_eq!(read(&redraw(&encoded(&halves(4000, 1), ImageFormat::Png)).unwrap()).dimensions(), (480, 1));
}

#[test]
fn a_photo_that_a_phone_took_lying_on_its_side_stands_upright() {
    let jpeg = encoded(&halves(600, 400), ImageFormat::Jpeg);
    let upright = read(&redraw(&with_segment(&jpeg, 0xe1, &exif(6))).unwrap());
    assert_eq!(upright.dimensions(), (320, 480));
    assert!(is_red(*upright.get_pixel(160, 20)) && !is_red(*upright.get_pixel(160, 460)), "its left side is on top");
}

#[test]
fn what_shows_through_becomes_white() {
    let mut bytes = Cursor::new(Vec::new());
    RgbaImage::from_pixel(40, 40, Rgba([0, 0, 0, 0])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let picture = read(&redraw(bytes.get_ref()).unwrap());
    assert!(picture.pixels().all(|p| p.0.iter().all(|c| *c > 250)));
}

#[test]
fn grey_pictures_and_deep_ones_are_read_too() {
    let mut grey = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut grey);
    encoder.write_image(&[0x80; 2 * 50 * 50], 50, 50, ExtendedColorType::L16).unwrap();
    assert_eq!(read(&redraw(&grey).unwrap()).dimensions(), (50, 50));
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode(&[200; 50 * 50], 50, 50, ExtendedColorType::L8).unwrap();
    assert_eq!(read(&redraw(&jpeg).unwrap()).dimensions(), (50, 50));
}

#[test]
fn nothing_but_the_picture_itself_is_in_what_is_made() {
    let jpeg = encoded(&halves(600, 400), ImageFormat::Jpeg);
    let marked = with_segment(&with_segment(&jpeg, 0xe1, &exif(1)), 0xfe, b"taken at home, marker-7f3a");
    let ours = redraw(&[&marked[..], b"marker-7f3a"].concat()).unwrap();
    let has = |mark: &[u8]| ours.as_bytes().windows(mark.len()).any(|w| w == mark);
    assert!(!has(b"marker-7f3a") && !has(b"Exif") && ours.as_bytes().starts_with(b"\xff\xd8\xff\xe0\0\x10JFIF\0"));
    // The encoder writes one segment of its own, and none for comments or applications beside it.
    assert!(![0xfe, 0xe1, 0xe2, 0xed].iter().any(|code| ours.as_bytes()[..200].windows(2).any(|w| w == [0xff, *code])));
}

#[test]
fn noise_of_the_largest_size_fits() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let noise = RgbImage::from_fn(480, 480, |_, _| Rgb([next(), next(), next()]));
    let jpeg = redraw(&encoded(&noise, ImageFormat::Png)).unwrap();
    assert!(jpeg.as_bytes().len() <= policy::PORTRAIT_BYTES && read(&jpeg).dimensions() == (480, 480));
}

#[test]
fn what_is_no_png_or_jpeg_is_told_apart_by_its_first_bytes() {
    use BadPicture as B;
    for (upload, why) in [
        (&b""[..], B::Empty),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", B::OtherKind),
        (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x --><svg/>", B::OtherKind),
        (b"GIF89a\x01\0\x01\0\0\0\0;", B::OtherKind),
        (b"RIFF\x24\0\0\0WEBPVP8 ", B::OtherKind),
        (b"\0\0\0\x18ftypheic", B::OtherKind),
        (b"BM\0\0", B::OtherKind),
        (b"<!doctype html><script>alert(1)</script>", B::NoPicture),
        (b"%PDF-1.7", B::NoPicture),
        (b"\x89PNG", B::NoPicture),
        (b"\xff\xd8", B::NoPicture),
        (b"PK\x03\x04", B::NoPicture),
    ] {
        assert_eq!(redraw(upload), Err(why), "{}", String::from_utf8_lossy(upload));
    }
    assert_eq!(redraw(&vec![0xff; policy::PORTRAIT_UPLOAD + 1]), Err(B::TooLarge));
}

#[test]
fn a_picture_that_ends_too_early_is_damaged() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = encoded(&halves(300, 200), format);
        for part in [10, whole.len() / 3, whole.len() / 2, whole.len() * 9 / 10, whole.len() - 20] {
            assert_eq!(redraw(&whole[..part]), Err(BadPicture::Damaged), "{format:?}, {part} of {}", whole.len());
        }
    }
    let jpeg = encoded(&halves(300, 200), ImageFormat::Jpeg);
    assert_eq!(redraw(&jpeg[..jpeg.len() - 2]), Err(BadPicture::Damaged), "a JPEG has to say that it ends");
}

#[test]
fn a_small_file_that_claims_to_be_tremendous_costs_nothing() {
    for (width, height) in [(60_000, 60_000), (8_001, 1), (1, 8_001), (8_000, 8_000)] {
        assert_eq!(redraw(&png_of(width, height)), Err(BadPicture::TooManyPixels), "{width} x {height}");
    }
    let mut jpeg = encoded(&halves(64, 64), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    for (height, width) in [(60_000_u16, 60_000_u16), (7_000, 7_000)] {
        jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        assert_eq!(redraw(&jpeg), Err(BadPicture::TooManyPixels));
    }
    // As one that is read in several passes, which keeps more of each pixel meanwhile, less is enough.
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x10, 0, 0x10, 0]);
    assert_ne!(redraw(&jpeg), Err(BadPicture::TooManyPixels));
    jpeg[frame + 1] = 0xc2;
    assert_eq!(redraw(&jpeg), Err(BadPicture::TooManyPixels));
}

proptest::proptest! {
    #[test]
    fn whatever_is_changed_in_a_picture_is_read_or_refused(
        png in proptest::bool::ANY,
        changes in proptest::collection::vec((proptest::num::u16::ANY, proptest::num::u8::ANY), 1..12),
    ) {
        let mut bytes = encoded(&halves(40, 30), if png { ImageFormat::Png } else { ImageFormat::Jpeg });
        for (at, byte) in changes {
            let length = bytes.len();
            bytes[usize::from(at) % length] = byte;
        }
        if let Ok(jpeg) = redraw(&bytes) {
            proptest::prop_assert!(jpeg.as_bytes().len() <= policy::PORTRAIT_BYTES);
        }
    }
}
