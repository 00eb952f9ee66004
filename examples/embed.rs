//! The provider inside another program: no socket, no thread of its own but the writer and the hashing workers. It opens
//! (or creates) the data folder named by the first argument and prints what a visitor of the sign-in page gets.

use std::error::Error;
use std::path::PathBuf;

use idp::actions::data_folder::open_or_create;
use idp::app::{App, Settings};
use idp::audit::Source;
use idp::http::Request;
use idp::time::Clock;

/// What a visitor of the sign-in page gets from a provider over this data folder: the status and the page.
pub fn sign_in_page(data: PathBuf) -> Result<(u16, String), Box<dyn Error>> {
    let serving = open_or_create(&data, &Source::default(), Clock::System)?;
    let settings = Settings {
        public_url: "https://id.example.org".parse()?,
        trusted_proxy: Vec::new(),
        organisation: "Fernhill Joinery".into(),
        help_contact: None,
        data,
        hash_workers: 1,
        mail: None,
        streams: Vec::new(),
    };
    let app = App::new(serving.opened, settings, Clock::System)?;
    // A real embedder keeps the app, hands over each request that its own server gets, and starts `idp::app::Sweeper`.
    let response = app.handle(Request::get("/sign-in").from_peer([192, 0, 2, 1].into()));
    let status = response.status();
    Ok((status, String::from_utf8(response.into_body_bytes()?)?))
}

fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args_os().nth(1).ok_or("usage: embed DATA-FOLDER")?;
    let (status, page) = sign_in_page(data.into())?;
    println!("{status}\n{page}");
    Ok(())
}
