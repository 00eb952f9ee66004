//! The sign-in state machine, as pure rules: from which state which step leads where.
//!
//! Architecture invariant: [`State::Full`] is reached only after a right password and either a second factor, or a
//! factor enrolled through a window that an invitation or an audited recovery opened. There is no other way in, and no
//! setting that makes one. `tests/` walks this table with random steps.

use crate::sessions::{Session, Stage};

/// Where a browser stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing is proved.
    Stranger,
    /// The password was right.
    Pending,
    /// Password right, no factor, a window is open; the pass may still be missing.
    Enrolling {
        /// The pass was given, or the window (of an invitation) needs none.
        pass_given: bool,
    },
    /// Two factors were right; a new password must be chosen.
    ChangingPassword,
    /// Signed in.
    Full,
}

impl State {
    /// The state of a session.
    pub const fn of(session: &Session) -> Self {
        match session.stage {
            Stage::Pending => Self::Pending,
            Stage::Enrolling => Self::Enrolling { pass_given: session.pass_given },
            Stage::ChangingPassword => Self::ChangingPassword,
            Stage::Full => Self::Full,
        }
    }

    /// The stage to store; a stranger has no session.
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Stranger => None,
            Self::Pending => Some(Stage::Pending),
            Self::Enrolling { .. } => Some(Stage::Enrolling),
            Self::ChangingPassword => Some(Stage::ChangingPassword),
            Self::Full => Some(Stage::Full),
        }
    }
}

/// How a window was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opening {
    /// By an invitation or the first owner's link: no pass.
    Invitation,
    /// By a recovery: the pass comes first.
    Recovery,
}

/// What is true of the account at this moment, read in the same transaction as the step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    /// There is a factor that works.
    pub has_factor: bool,
    /// There is an unused backup code that still works.
    pub has_codes: bool,
    /// There is an open enrolment window.
    pub window: Option<Opening>,
    /// The password is temporary, or an admin asked for another one.
    pub must_change_password: bool,
}

/// What was just proved. Each is true: a wrong code is no step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The password.
    Password,
    /// A one-time code or a backup code.
    SecondFactor,
    /// The pass that an admin read out.
    Pass,
    /// A code from a factor that is being enrolled.
    Enrolled,
    /// A new password was chosen.
    NewPassword,
}

/// Why a step leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWay {
    /// The step does not belong to this state; the page is stale or forged.
    OutOfPlace,
    /// The password is right, but there is neither factor nor code nor open window: someone has to open one.
    NothingToContinueWith,
}

/// Where `step` leads from `from`.
///
/// # Errors
/// [`NoWay`]; the session then ends.
pub const fn next(from: State, step: Step, standing: Standing) -> Result<State, NoWay> {
    match (from, step) {
        (State::Stranger, Step::Password) => after_password(standing),
        // Who was asked to enrol and is given codes meanwhile can use them from there.
        (State::Pending | State::Enrolling { .. }, Step::SecondFactor) if standing.has_factor || standing.has_codes => {
            Ok(after_both(standing))
        }
        (State::Pending | State::Enrolling { pass_given: false }, Step::Pass) => match standing.window {
            Some(Opening::Recovery) if !standing.has_factor => Ok(State::Enrolling { pass_given: true }),
            _ => Err(NoWay::OutOfPlace),
        },
        (State::Enrolling { pass_given: true }, Step::Enrolled) => match standing.window {
            Some(_) if !standing.has_factor => Ok(after_both(standing)),
            _ => Err(NoWay::OutOfPlace),
        },
        (State::ChangingPassword, Step::NewPassword) => Ok(State::Full),
        _ => Err(NoWay::OutOfPlace),
    }
}

const fn after_password(standing: Standing) -> Result<State, NoWay> {
    match standing.window {
        _ if standing.has_factor || standing.has_codes => Ok(State::Pending),
        Some(Opening::Invitation) => Ok(State::Enrolling { pass_given: true }),
        Some(Opening::Recovery) => Ok(State::Enrolling { pass_given: false }),
        None => Err(NoWay::NothingToContinueWith),
    }
}

const fn after_both(standing: Standing) -> State {
    if standing.must_change_password { State::ChangingPassword } else { State::Full }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn standing() -> impl Strategy<Value = Standing> {
        let window = prop_oneof![Just(None), Just(Some(Opening::Invitation)), Just(Some(Opening::Recovery))];
        (any::<bool>(), any::<bool>(), window, any::<bool>()).prop_map(
            |(has_factor, has_codes, window, must_change_password)| Standing {
                has_factor,
                has_codes,
                window,
                must_change_password,
            },
        )
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Password),
            Just(Step::SecondFactor),
            Just(Step::Pass),
            Just(Step::Enrolled),
            Just(Step::NewPassword)
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]
        /// Whatever happens to the account between the steps.
        #[test]
        fn no_full_session_without_two_factors_or_one_opened_window(
            walk in proptest::collection::vec((step(), standing()), 1..12)
        ) {
            let mut state = State::Stranger;
            let (mut password, mut second, mut enrolled, mut pass_or_invitation) = (false, false, false, false);
            for (step, standing) in walk {
                let Ok(to) = next(state, step, standing) else { continue };
                match step {
                    Step::Password => {
                        password = true;
                        pass_or_invitation |= standing.window == Some(Opening::Invitation);
                    }
                    Step::SecondFactor => second |= standing.has_factor || standing.has_codes,
                    Step::Pass => pass_or_invitation |= standing.window == Some(Opening::Recovery),
                    Step::Enrolled => enrolled |= standing.window.is_some(),
                    Step::NewPassword => {}
                }
                state = to;
                if matches!(state, State::Full | State::ChangingPassword) {
                    prop_assert!(password && (second || (enrolled && pass_or_invitation)));
                }
                if state == State::Full && standing.must_change_password {
                    prop_assert_eq!(step, Step::NewPassword);
                }
            }
        }
    }

    #[test]
    fn a_factor_is_never_enrolled_beside_one_that_works() {
        let standing = Standing {
            has_factor: true,
            has_codes: false,
            window: Some(Opening::Recovery),
            must_change_password: false,
        };
        assert_eq!(next(State::Pending, Step::Pass, standing), Err(NoWay::OutOfPlace));
        assert_eq!(next(State::Enrolling { pass_given: true }, Step::Enrolled, standing), Err(NoWay::OutOfPlace));
    }
}
