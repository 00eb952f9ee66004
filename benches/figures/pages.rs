//! Answers of the whole provider through the edge, against an edge whose handler does nothing but answer as much.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use idp::http::{Request, Response};
use idp::storage::audit::get_head;

use crate::Figures;
use crate::edge::{ROUND, serve};
use crate::load::{Load, get};
use crate::provider::Provider;

const ROUNDS: usize = 9;

pub fn figures(figures: &Figures) {
    session_check(figures);
    sign_in_page(figures);
}

/// `/` of who is signed in: token, session and person are looked up, and the answer says where to go.
fn session_check(figures: &Figures) {
    let name = "session check, 16 connections, requests/s";
    if !figures.wants(name) {
        return;
    }
    let provider = Provider::with_people(1, 1);
    let request = get("/", Some(&provider.full_session(&provider.people[0])));
    let (ours, stopper) = serve_all_of(&provider);
    let (hello, hello_stopper) = serve(Arc::new(|_| Response::redirect(303, "/admin/users")));
    let mut ours = Load::connect(ours, 16, &request).expecting(303);
    let mut hello = Load::connect(hello, 16, &request).expecting(303);
    let unchanged = Unchanged::of(&provider);
    figures.pair(name, 0.5, || ours.per_second(ROUND), || hello.per_second(ROUND), ROUNDS);
    unchanged.check(&provider);
    stopper.stop();
    hello_stopper.stop();
}

/// The first page that a stranger sees. It must not cost a write, or strangers could fill the disk.
fn sign_in_page(figures: &Figures) {
    let name = "sign-in page, new visitor, 16 connections, requests/s";
    if !figures.wants(name) {
        return;
    }
    let provider = Provider::with_people(1, 1);
    let request = get("/sign-in", None);
    let page: Arc<[u8]> =
        provider.app.handle(Request::get("/sign-in")).into_body_bytes().expect("a page in memory").into();
    let (ours, stopper) = serve_all_of(&provider);
    let as_much = page.clone();
    let (hello, hello_stopper) = serve(Arc::new(move |_| Response::html(200, as_much.clone())));
    let mut ours = Load::connect(ours, 16, &request);
    let mut hello = Load::connect(hello, 16, &request);
    let unchanged = Unchanged::of(&provider);
    figures.pair(name, 0.4, || ours.per_second(ROUND), || hello.per_second(ROUND), ROUNDS);
    unchanged.check(&provider);
    stopper.stop();
    hello_stopper.stop();
}

fn serve_all_of(provider: &Provider) -> (std::net::SocketAddr, idp::http::edge::Stopper) {
    let app = Arc::clone(&provider.app);
    serve(Arc::new(move |request| app.handle(request)))
}

/// What shows a write: the trail's newest entry, and the log of the database.
#[derive(Debug, PartialEq)]
struct Unchanged {
    head: i64,
    log: (u64, SystemTime),
}

impl Unchanged {
    fn of(provider: &Provider) -> Self {
        let head = provider.means().store.read(get_head).expect("a trail").seq;
        let log = PathBuf::from(format!("{}-wal", provider.database().display()));
        let log = std::fs::metadata(log).expect("the log beside the database");
        Self { head, log: (log.len(), log.modified().expect("a file system with times")) }
    }

    fn check(&self, provider: &Provider) {
        assert_eq!(*self, Self::of(provider), "reading pages wrote something");
    }
}
