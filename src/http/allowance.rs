//! Who may send more than a form's usual length, and where: asked by the edge when it has read a head that announces it.

use super::Request;
use super::edge::Allowance;
use super::guards::{Call, Signed};
use super::router::Router;
use crate::app::App;
use crate::sessions::{Freshness, Stage};

/// How long the body of this request may be, of which only the head is there.
///
/// The route's table says where; the session says who. A stranger can not take one of the few places, and so keeps nobody
/// from them. Everything else about the request is for its handler to judge, once it is read.
pub fn allowance(app: &App, router: &Router, head: &Request) -> Allowance {
    if !router.takes_large(head) {
        return Allowance::Usual;
    }
    match Signed::look(&Call::new(app, head)) {
        Ok(Some(signed)) if signed.session.stage == Stage::Full => match signed.session.freshness(app.now()) {
            Freshness::Live if signed.user.role.looks_after_people() => Allowance::Large,
            Freshness::Live => Allowance::Usual,
            Freshness::Idle | Freshness::Over => Allowance::SignIn,
        },
        Ok(_) => Allowance::SignIn,
        // The handler will say what is wrong with the database.
        Err(_) => Allowance::Large,
    }
}
