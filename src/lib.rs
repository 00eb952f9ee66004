//! # idp: an identity provider for small organisations
//!
//! One executable, one SQLite file. A person who lost their phone gets back in quickly, nobody else gets in instead of
//! them, and an auditor can prove later what was done.
//!
//! ## The map
//!
//! *Nouns at the root, verbs in `actions/`, machinery in `storage/`, `pages/`, `http/`, `cli/`.* A noun keeps its file
//! name on every floor: [`recovery`], [`storage::recovery`], [`actions::recover`], [`pages::recovery`] and
//! [`http::recovery`] are five views of one thing.
//!
//! | floor | holds | may import |
//! |---|---|---|
//! | 0 | nouns and pure rules: [`users`], [`factors`], [`sessions`], [`sign_in`], [`contacts`], [`portraits`] (for comparing with a face), [`recovery`], [`grants`], [`dashboard`] (what needs attention), [`demo`] (its people and what to try), [`import`] (a list of people), [`notices`] (what people have to be told) and the [`outbox`] they go out by, [`streams`] (who else receives the trail), [`audit`], [`policy`] …, [`config`] | each other |
//! | 1 | [`storage`]: the only place that knows SQLite; [`host`]: files, keys, the lock, the hashing workers, the ways to the mail server ([`host::smtp`]) and to who receives the trail ([`host::syslog`], [`host::webhook`]), word to the service manager ([`host::notify`]) | 0 |
//! | 2 | [`actions`]: what people do, one file an errand, each owning its transaction | 0, 1 |
//! | 2 | [`pages`]: functions from values to markup | 0 |
//! | 3 | [`app`], [`http`]: requests in, answers out; of storage, reads only | below |
//! | 3 | [`cli`]: one file a subcommand | all |
//!
//! A test reads the sources and fails on an upward import.
//!
//! ## What always holds
//!
//! - There is one way to write, [`storage::Store::change`], and it can not be used without an audit entry: both are in
//!   one transaction, or neither is. Two side doors, [`storage::touch`] and [`storage::sweep`], are closed lists.
//! - A full session needs two factors, or one enrolment through a window that an invitation or an audited recovery
//!   opened: [`sign_in::next`] is the whole machine.
//! - Whatever lets someone in is decided by one pure function, [`grants::decide`], inside the transaction that gives it;
//!   [`actions::grants`] is where every errand asks it, with the evidence, and where a refusal gets its entry.
//! - What needs a second person is asked for in a case and only permitted by them, [`actions::approve`]. Who asked carries it
//!   out with the same errand as ever, which weighs the permit again: [`grants::needed`], [`grants::may_decide`].
//! - "This wasn't me" is said through a link that no row holds, [`actions::object`]. An account that it freezes, and one that
//!   was closed because of an attack, is opened again by its case alone: [`recovery::hold`], [`actions::reassure`],
//!   [`actions::readmit`].
//! - After a restore that can not know what was decided since the backup, nobody but owners has a session of any kind until
//!   an owner has confirmed who is here: [`storage::instance::get_people_confirmed`], [`actions::confirm_people`].
//! - No byte that somebody uploaded as a picture is stored or served: [`portraits`] makes one of its own.
//! - Every route stands in [`http::router::ROUTES`] with its door; a handler is handed the proof that the door asks for.
//! - Whoever has to be told of an entry is told: the writer itself writes the notice and its messages, in the same
//!   transaction. Messages are sent by a thread of their own, [`actions::deliver`], never inside a request.
//! - The bytes that are hashed are frozen: [`audit::chain`].
//! - The one change that the trail ever sees is that old entries lose what they said, up to a point that an entry of its own
//!   records: [`audit::erasure`] says what may be missing, [`retention`] when it is erased, [`actions::retention`] does it.
//! - How far the trail has come is signed by a server again and again, and by commands on the host: [`actions::checkpoint`]. The
//!   newest checkpoint stands beside the keys, and a database that does not know it is not opened for changes. An export with its
//!   proof, [`audit::table`], is judged from files alone: [`audit::judge`]. Where the newest checkpoints went that this host can not
//!   change is noted for people to see: [`audit::anchor`].
//! - To who receives the trail elsewhere, [`streams`], every entry is sent, in its order, by a thread of its own that waits as long
//!   as it takes: [`actions::stream`].
//!
//! ## One request walked through the house
//!
//! `POST /admin/users/{id}/mfa/reset`: [`http::edge`] reads it within its deadlines and hands [`app::App::handle`] a
//! [`http::Request`]. [`http::router`] finds the route and reads its fields; [`http::guards`] turns the cookie into a
//! proof of a full session of someone who looks after people, and compares the form's CSRF value. [`http::grants`] parses
//! evidence, reason and ticket into types that can not be wrong, confirms a second factor where the last one is too long
//! ago, and asks [`actions::recover::force_reset`]. That sends one closure to the writer thread: inside the transaction
//! it reads again who acts and asks [`grants::decide`], both through [`actions::grants`], removes the factors, voids the codes, ends the sessions, opens case
//! and window, and returns the pass together with the events; [`storage`] appends them to the chain, commits with an
//! `fsync`, and only then answers. [`pages::handover`] shows the pass, once.
//!
//! ## Embedding
//!
//! `examples/embed.rs` answers requests without a socket: [`actions::data_folder::open_or_create`], [`app::App::new`],
//! [`app::App::handle`].

#![deny(unsafe_code)]

pub mod app;
pub mod audit;
pub mod backup_codes;
pub mod config;
pub mod contacts;
pub mod dashboard;
pub mod demo;
pub mod factors;
pub mod grants;
pub mod ids;
pub mod import;
pub mod notices;
pub mod outbox;
pub mod password;
pub mod policy;
pub mod portraits;
pub mod recovery;
pub mod retention;
pub mod secret;
pub mod sessions;
pub mod sign_in;
pub mod signals;
pub mod streams;
pub mod throttle;
pub mod time;
pub mod users;

pub mod actions;
pub mod cli;
pub mod host;
pub mod http;
pub mod pages;
pub mod storage;
