//! Compresses the served files once, here, so that no request waits for it. `pages::assets` embeds what this writes.

use std::io::Write;
use std::path::PathBuf;
use std::{env, error, fs};

use flate2::{Compression, GzBuilder};

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=assets/static");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    for file in fs::read_dir("assets/static")? {
        let file = file?;
        let compressed = out.join(format!("{}.gz", file.file_name().to_string_lossy()));
        // No time and no name in the header: the same source gives the same bytes.
        let mut gzip = GzBuilder::new().mtime(0).write(fs::File::create(compressed)?, Compression::best());
        gzip.write_all(&fs::read(file.path())?)?;
        gzip.finish()?.sync_all()?;
    }
    Ok(())
}
