//! How the people of a demo get in at this moment: what their phones would show, and which of their backup codes are left.
//!
//! Architecture invariant: who asks hands over a [`Demo`], which only `idp demo` makes.

use std::time::Duration;

use super::second_factor::open_seed;
use super::{Means, Result};
use crate::backup_codes::Kind;
use crate::demo::{Demo, KeyRing, Known, PasswordNow, STEPS};
use crate::factors::totp::{STEP_SECONDS, Seed, code_at};
use crate::ids::UserId;
use crate::secret::Secret;
use crate::storage::users::search::{self, Search};
use crate::storage::{ReadTx, backup_codes, factors, sessions, users};
use crate::time::Timestamp;
use crate::users::{Status, User};

/// Whoever was added to the cast is listed too, up to this many.
const MOST: u32 = 100;

/// Everybody: the cast in its order, then who was added since.
///
/// # Errors
/// As [`super::Error`] says.
pub fn key_rings(means: &Means, demo: &Demo) -> Result<Vec<KeyRing>> {
    let now = means.clock.now();
    means.store.read(|tx| {
        let listed = search::list(tx, &Search { with_left: true, ..Search::default() }, None, now, MOST)?.people;
        let cast = demo.people.iter().map(|known| known.id);
        let others = listed.iter().map(|line| line.id).filter(|id| demo.people.iter().all(|known| known.id != *id));
        cast.chain(others).map(|id| key_ring(tx, means, demo, id, now)).collect()
    })
}

fn key_ring(tx: &ReadTx<'_>, means: &Means, demo: &Demo, id: UserId, now: Timestamp) -> Result<KeyRing> {
    let user = users::get(tx, id)?;
    let known = demo.people.iter().find(|known| known.id == id);
    let open = |id: &str, sealed: &[u8]| open_seed(&means.key, id, sealed);
    let app = factors::list(tx, id)?.into_iter().rfind(|factor| factor.disabled_at.is_none());
    let app = app.map(|factor| open(&factor.id.to_string(), &factor.sealed_seed)).transpose()?;
    let preparing = sessions::list(tx, id, now)?.into_iter().find_map(|s| s.sealed_seed.map(|seed| (s.id, seed)));
    let new_app = preparing.map(|(session, sealed)| open(&session.to_string(), &sealed)).transpose()?;
    let shown = |seed: Option<Seed>| seed.map(|seed| codes_from(&seed, now)).unwrap_or_default();
    Ok(KeyRing {
        about: known.map(|known| known.part.about),
        password: password_now(tx, &user, known, now)?,
        app: shown(app),
        new_app: shown(new_app),
        codes: known.map_or(Ok(Vec::new()), |known| unused(tx, known, now))?,
        codes_left: backup_codes::count_left(tx, id, now)?,
        invitation: known.and_then(|k| k.invitation.clone()).filter(|_| user.status == Status::Invited),
        name: user.name.to_string(),
        email: user.email.to_string(),
        role: user.role,
        status: user.status,
    })
}

/// What an app shows in this step and those that follow.
fn codes_from(seed: &Seed, now: Timestamp) -> Vec<Secret> {
    let step = Duration::from_secs(STEP_SECONDS);
    (0..STEPS).map(|n| code_at(seed, now.plus(step * n))).collect()
}

fn password_now(tx: &ReadTx<'_>, user: &User, known: Option<&Known>, now: Timestamp) -> Result<PasswordNow> {
    let over = user.password_expires_at.is_some_and(|at| at <= now);
    let Some(stored) = users::find_password(tx, user.id)?.filter(|_| !over) else { return Ok(PasswordNow::None) };
    let shared = known.and_then(|known| known.password).is_some_and(|salt| salt == *stored.salt());
    Ok(match (shared, user.has_temporary_password()) {
        (true, _) => PasswordNow::Shared,
        (false, true) => PasswordNow::Temporary,
        (false, false) => PasswordNow::Chosen,
    })
}

/// The codes of the set that the demo knows, as far as they were not used.
fn unused(tx: &ReadTx<'_>, known: &Known, now: Timestamp) -> Result<Vec<Secret>> {
    let set = backup_codes::find(tx, known.id, Kind::Own, now)?.filter(|set| Some(set.salt) == known.code_set);
    let positions = set.into_iter().flat_map(|set| set.unused).filter_map(|(at, _)| usize::try_from(at).ok());
    Ok(positions.filter_map(|at| known.codes.get(at)).map(|code| Secret::new(code.to_text())).collect())
}
