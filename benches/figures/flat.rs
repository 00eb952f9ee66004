//! How long the console's pages take at a large organisation, against the same pages at a small one.

use std::time::{Duration, Instant};

use idp::http::Request;

use crate::Figures;
use crate::history::{Histories, History};
use crate::load::p99_micros;

/// Requests of one round, enough for a 99th percentile that is not the slowest one.
const REQUESTS: usize = 300;
const ROUNDS: usize = 5;
const GOAL: f64 = 1.5;

/// What opening a case, or the form that lets somebody in, may take however much there is: 15 ms.
const PROMISED: f64 = 15_000.0;

pub fn figures(figures: &Figures, histories: &Histories) {
    for (name, path) in [("the reset form", "/admin/users/BUSY/mfa/reset"), ("the case", "/admin/recovery/CASE")] {
        let name = format!("page: {name} of who has the most entries, p99 µs");
        if figures.wants(&name) {
            let page = Page::new(histories.large(), path);
            figures.at_most(&name, PROMISED, || page.p99());
        }
    }
    for (name, path) in PAGES {
        let name = format!("page: {name}, p99 µs");
        if figures.wants(&name) {
            let (large, small) = (Page::new(histories.large(), path), Page::new(histories.small(), path));
            figures.pair_at_most(&name, GOAL, || large.p99(), || small.p99(), ROUNDS);
        }
    }
}

/// What stands in a path for what differs between the two: `BUSY` and `PERSON` for identifiers, `SINCE` and `UNTIL` for
/// the middle half of the trail, `CASE`.
const PAGES: [(&str, &str); 36] = [
    ("people", "/admin/users"),
    ("people in one state that everyone is in", "/admin/users?state=active"),
    ("people in one state that nobody is in", "/admin/users?state=disabled"),
    ("people of one role that everyone has", "/admin/users?role=member"),
    ("people of one role that one has", "/admin/users?role=owner"),
    ("people who need attention", "/admin/users?state=attention"),
    ("people who wait for enrolment", "/admin/users?state=awaiting"),
    ("people, a text that everyone has", "/admin/users?q=fernhill"),
    ("people, a text that one has", "/admin/users?q=g77@"),
    ("people, a whole address", "/admin/users?q=jonas.vinelberg2@fernhill.example"),
    ("people, a text that nobody has", "/admin/users?q=wanda"),
    ("people, common parts that nobody has in this order", "/admin/users?q=hillfern"),
    ("people, a letter that everyone has", "/admin/users?q=a"),
    ("people, a letter that nobody has", "/admin/users?q=w"),
    ("people, two letters that everyone has", "/admin/users?q=fe"),
    ("people, two letters that nobody has", "/admin/users?q=aw"),
    ("an ordinary person", "/admin/users/PERSON"),
    ("a busy person", "/admin/users/BUSY"),
    ("a busy person's factors", "/admin/users/BUSY/mfa"),
    ("a busy person's reset form, with its signs", "/admin/users/BUSY/mfa/reset"),
    ("a busy person's case", "/admin/recovery/CASE"),
    ("a busy person's case as a story", "/admin/recovery/CASE/story"),
    ("the recovery board", "/admin/recovery"),
    ("an ordinary person's activity", "/admin/users/PERSON/activity"),
    ("a busy person's activity", "/admin/users/BUSY/activity"),
    ("trail", "/admin/audit"),
    ("trail, a time range", "/admin/audit?since=SINCE&until=UNTIL"),
    ("trail, an action and a time range", "/admin/audit?action=user.signed_in&since=SINCE&until=UNTIL"),
    ("trail, an action that never was and a time range", "/admin/audit?action=backup.created&since=SINCE&until=UNTIL"),
    ("trail, an outcome and a time range", "/admin/audit?outcome=denied&since=SINCE&until=UNTIL"),
    ("trail, the usual outcome and a time range", "/admin/audit?outcome=success&since=SINCE&until=UNTIL"),
    ("trail, an ordinary person and a time range", "/admin/audit?person=PERSON&since=SINCE&until=UNTIL"),
    ("trail, a busy person and a time range", "/admin/audit?person=BUSY&since=SINCE&until=UNTIL"),
    ("trail, who did it and a time range", "/admin/audit?actor=BUSY&since=SINCE&until=UNTIL"),
    ("trail, the host's doing and a time range", "/admin/audit?actor=host&since=SINCE&until=UNTIL"),
    ("trail, a case and a time range", "/admin/audit?case=CASE&since=SINCE&until=UNTIL"),
];

pub struct Page<'a> {
    history: &'a History,
    request: Request,
}

impl<'a> Page<'a> {
    pub fn new(history: &'a History, path: &str) -> Self {
        let path = path
            .replace("BUSY", &history.busy.to_string())
            .replace("PERSON", &history.ordinary.to_string())
            .replace("SINCE", &history.middle.0.to_string())
            .replace("UNTIL", &history.middle.1.to_string())
            .replace("CASE", &history.case.to_string());
        let cookie = history.provider.full_session(&history.provider.people[0]);
        let page = Self { history, request: Request::get(&path).with_header("Cookie", &cookie) };
        // What is compiled and read for the first time is not what is compared.
        page.p99();
        page
    }

    pub fn p99(&self) -> f64 {
        p99_micros((0..REQUESTS).map(|_| self.once()).collect())
    }

    fn once(&self) -> Duration {
        let (request, begun) = (self.request.clone(), Instant::now());
        let answer = self.history.provider.app.handle(request);
        let took = begun.elapsed();
        assert_eq!(answer.status(), 200, "{:?}", self.request.path());
        took
    }
}
