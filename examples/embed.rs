//! The provider inside another program: no socket, one function from a request to an answer.
//!
//! `cargo run --example embed` opens (or creates) a data folder in the system's temporary folder, prints where the first
//! owner sets up, and what the sign-in page answers.

use std::error::Error;
use std::path::PathBuf;

use idp::actions::data_folder::open_or_create;
use idp::actions::first_run::setup_link;
use idp::app::{App, Settings};
use idp::audit::Source;
use idp::http::Request;
use idp::time::Clock;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(|| std::env::temp_dir().join("idp-embedded"), Into::into);
    println!("{}", answer_one_request(folder)?);
    Ok(())
}

/// Opens the folder, or creates it, and asks for the sign-in page.
pub fn answer_one_request(folder: PathBuf) -> Result<String, Box<dyn Error>> {
    let source = Source { os_user: Some("an embedding program".into()), ..Source::default() };
    let serving = open_or_create(&folder, &source, Clock::System)?;
    let settings = Settings {
        // Links are built from this; https but on localhost.
        public_url: "http://localhost:8080".parse()?,
        trusted_proxy: Vec::new(),
        organisation: "Fernhill Joinery".into(),
        help_contact: None,
        data: folder,
        hash_workers: 2,
    };
    let app = App::new(serving.opened, settings, Clock::System)?;
    let link = setup_link(&app.means, source)?
        .map(|token| app.settings.public_url.link(&format!("/setup/{}", token.to_text())));
    let answer = app.handle(Request::get("/sign-in"));
    let said = format!("GET /sign-in: {} with {} bytes", answer.status(), answer.into_body_bytes()?.len());
    Ok(format!("The first owner sets up at {}\n{said}", link.as_deref().unwrap_or("no link: there is an owner")))
}
