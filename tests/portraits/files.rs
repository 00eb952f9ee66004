//! What becomes of the files that are sent as photos, also of those that are none, and of long ones.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use idp::audit::Action;
use idp::http::edge::{Edge, Limits};
use image::{ImageFormat, RgbImage};

use super::{NOTE, address, firm, form, has, photo, picture, put_well, send, served};
use crate::grants::last;
use crate::runbook::{act, rows};
use crate::world::{Browser, World};

/// Noise: each stretch of it is found nowhere else.
fn noise(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let pixels = std::iter::repeat_with(idp::secret::random::<30>).flatten().take((width * height * 3) as usize);
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_raw(width, height, pixels.collect()).unwrap().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// With one more segment, which holds `content`, `times` times.
fn with_segments(jpeg: &[u8], code: u8, content: &[u8], times: usize) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[&[0xff, code], &length[..], content].concat().repeat(times), &jpeg[2..]].concat()
}

/// The checksum of a PNG's chunk.
fn crc(chunk: &[u8]) -> [u8; 4] {
    let mut crc = !0_u32;
    for byte in chunk {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 });
    }
    (!crc).to_be_bytes()
}

/// A text in a PNG, as programs write remarks into it (PNG specification, section 11.3.3).
fn with_text(png: &[u8], text: &str) -> Vec<u8> {
    let chunk = [b"tEXtComment\0", text.as_bytes()].concat();
    let length = u32::try_from(chunk.len() - 4).unwrap().to_be_bytes();
    [&png[..33], &length, &chunk, &crc(&chunk), &png[33..]].concat()
}

#[test]
fn what_is_served_holds_no_byte_that_somebody_put_into_the_file() {
    let (world, mut ada, mara, _) = firm();
    let marker = "home-59.3293N-18.0686E";
    let gps = format!("Exif\0\0MM\0*\0\0\0\x08\0\0 GPS {marker}");
    let jpeg = with_segments(&noise(300, 400, ImageFormat::Jpeg), 0xe1, gps.as_bytes(), 1);
    let jpeg = [&jpeg[..], b"<script>", marker.as_bytes()].concat();
    let png = with_text(&noise(300, 400, ImageFormat::Png), marker);
    for file in [jpeg, png] {
        assert!(has(&file, marker.as_bytes()));
        put_well(&mut ada, &mara.id, &file);
        let served = served(&world, &ada, &mara.id).unwrap();
        assert!(served.starts_with(b"\xff\xd8\xff\xe0\0\x10JFIF\0"));
        for trace in [marker.as_bytes(), b"Exif", b"GPS", b"<script>", b"Comment"] {
            assert!(!has(&served, trace), "{}", String::from_utf8_lossy(trace));
        }
        // No stretch of the upload's own picture is in it either.
        assert!(!file[file.len() / 2..].chunks_exact(16).step_by(64).any(|stretch| has(&served, stretch)));
        assert!(!world.stores(marker), "nor is it stored");
    }
}

#[test]
fn a_file_that_is_no_photo_is_refused_with_what_to_do_and_the_note_is_kept() {
    let (world, mut ada, mara, _) = firm();
    let png = picture(64, 64, ImageFormat::Png);
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let sum = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum);
    let before = world.head();
    for (called, file, say) in [
        (
            "a.svg",
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"[..],
            "Only PNG and JPEG",
        ),
        ("a.png", b"<!doctype html><script>alert(1)</script>", "This file is no picture."),
        ("a.png", &png[..png.len() / 2], "This picture is damaged"),
        ("a.jpg", &photo()[..500], "This picture is damaged"),
        ("a.png", &bomb, "This picture has too many pixels"),
        (
            "a.gif",
            b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
            "Only PNG and JPEG",
        ),
        ("a.jpg", &[&photo()[..], &vec![0; 7_000_000]].concat(), "This file is larger than 6 MB"),
        ("a.png", b"", "This file is empty."),
    ] {
        ada.get(&address(&mara.id));
        let page = send(&mut ada, &mara.id, Some((called, file)), &[("id_note", "Passport <b>")]);
        assert!(page.status == 422 && page.says(say), "{called}: {} {}", page.status, page.text());
        assert!(page.body.contains("value=\"Passport &lt;b&gt;\""), "the note is kept: {}", page.body);
        assert!(page.says("the photo has to be chosen again") && page.body.contains("<title>Error: "), "{called}");
        assert!(page.body.contains("href=\"#file\"") && page.body.contains("id=\"file-error\""), "{called}");
        assert!(served(&world, &ada, &mara.id).is_none());
    }
    assert_eq!((rows(&world, "portraits", &mara.id), world.head()), (0, before), "nothing is stored");
    // The same form takes a good one then.
    assert_eq!(send(&mut ada, &mara.id, Some(("a.png", &png)), &[("id_note", "Passport")]).status, 303);
}

#[test]
fn a_picture_that_is_removed_or_replaced_is_gone_from_the_database() {
    let (world, mut ada, mara, _) = firm();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let folded = || db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).unwrap();
    let file = noise(150, 150, ImageFormat::Png);
    for remove in [true, false] {
        put_well(&mut ada, &mara.id, &file);
        let jpeg = served(&world, &ada, &mara.id).unwrap();
        let parts: Vec<&[u8]> = jpeg.chunks_exact(64).skip(20).step_by(16).collect();
        assert!(parts.len() > 10, "{}", parts.len());
        assert_eq!(folded(), 0);
        assert!(parts.iter().filter(|part| world.stores(part)).count() > 10, "it is looked for where it is");
        ada.get(&address(&mara.id));
        let answer = match remove {
            true => send(&mut ada, &mara.id, None, &[("remove", "on"), ("id_note", NOTE)]),
            false => send(&mut ada, &mara.id, Some(("a", &photo())), &[("id_note", NOTE)]),
        };
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(folded(), 0);
        assert_eq!(parts.iter().filter(|part| world.stores(part)).count(), 0);
        assert_eq!(served(&world, &ada, &mara.id).is_none(), remove);
        assert_eq!(rows(&world, "portraits", &mara.id), 1, "the note stays");
    }
}

#[test]
fn pictures_are_read_one_at_a_time_and_nothing_else_waits_for_them() {
    let (world, mut ada, mara, noor) = firm();
    ada.get(&address(&mara.id));
    let mut second = ada.clone();
    second.get(&address(&noor.id));
    let busy = world.app.means.one_picture.lock().unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| send(&mut ada, &mara.id, Some(("a", &photo())), &[]).status);
        let second = scope.spawn(|| send(&mut second, &noor.id, Some(("a", &photo())), &[]).status);
        // The writer takes other changes meanwhile, and a photo that is not to be read is refused at once.
        let mut admin = noor.browser.clone();
        assert_eq!(act(&mut admin, &mara.id, "/notes", &[("text", "called at noon")]).status, 303);
        admin.get("/admin/users/new");
        assert_eq!(send(&mut admin, &mara.id, Some(("a", &photo())), &[]).status, 403);
        assert_eq!(world.count("SELECT count(*) FROM portraits"), 0);
        assert!(!first.is_finished() && !second.is_finished());
        drop(busy);
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (303, 303));
    });
    assert_eq!(world.count("SELECT count(*) FROM portraits"), 2);
}

/// The world's provider on a port, as `idp serve` puts it there, until `talk` is over.
fn over_a_socket(world: &World, talk: impl FnOnce(&dyn Fn(&Browser, &str, &[u8]) -> (u16, String))) {
    let (handler, door) = (Arc::clone(&world.app), Arc::clone(&world.app));
    let edge = Edge::bind("127.0.0.1:0", Limits::default()).unwrap();
    let edge = edge.with_large_bodies(move |head| door.allowance(head));
    let (address, stopper) = (edge.local_addr().unwrap(), edge.stopper());
    let thread = std::thread::spawn(move || edge.serve(Arc::new(move |request| handler.handle(request))));
    let ask = |browser: &Browser, path: &str, body: &[u8]| {
        let cookies: Vec<String> = browser.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Type: multipart/form-data; boundary=Qx7\r\nContent-Length: {}\r\n\r\n",
            cookies.join("; "),
            body.len()
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A refusal may come before everything is sent, or be lost to who sends on.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0), answer)
    };
    talk(&ask);
    stopper.stop();
    thread.join().unwrap();
}

#[test]
fn a_phones_photo_of_5_mb_is_taken_over_a_socket_and_other_forms_still_take_64_kib() {
    let (world, mut ada, mara, noor) = firm();
    // What a phone makes: 12 million pixels, and much in the file that is not the picture.
    let photo = picture(4000, 3000, ImageFormat::Jpeg);
    let photo = with_segments(&photo, 0xe2, &[7; 60_000], (5_000_000 - photo.len()) / 60_004 + 1);
    assert!((5_000_000..5_100_000).contains(&photo.len()), "{}", photo.len());
    let path = address(&mara.id);
    ada.get(&path);
    let good = form(&ada.page, Some(("a.jpg", &photo)), &[("id_note", NOTE)]);
    let huge = form(&ada.page, Some(("a.jpg", &[&photo[..], &photo[..]].concat())), &[("id_note", NOTE)]);
    let mut admin = noor.browser.clone();
    admin.get("/admin/users/new");
    let by_admin = form(&admin.page, Some(("a.jpg", &photo)), &[]);
    over_a_socket(&world, |ask| {
        let (status, answer) = ask(&admin, &path, &by_admin);
        assert!(status == 403 && answer.contains("Only an owner may do this."), "{status}: {answer}");
        assert_eq!(last(&world, Action::UserPortraitChanged), "denied owners_only");
        let (status, answer) = ask(&ada, &path, &huge);
        assert!(status == 413 && answer.contains("The file is too large."), "{status}: {answer}");
        for (browser, path, wanted) in [
            (&world.browser(), &*path, 401),
            (&mara.browser, &path, 413),
            (&ada, &format!("/admin/users/{}/notes", mara.id), 413),
            (&ada, "/admin/users/import", 413),
            (&ada, "/sign-in", 413),
            (&ada, &format!("{path}.jpg"), 413),
        ] {
            let (status, answer) = ask(browser, path, &good[..100_000]);
            assert_eq!(status, wanted, "{path}: {answer}");
        }
        assert_eq!(rows(&world, "portraits", &mara.id), 0);
        let (status, answer) = ask(&ada, &path, &good);
        assert_eq!(status, 303, "{answer}");
    });
    let shown = image::load_from_memory(&served(&world, &ada, &mara.id).unwrap()).unwrap();
    assert_eq!((shown.width(), shown.height()), (480, 360));
}
