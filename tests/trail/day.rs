//! A long day is told exactly, whatever happens in it, and no entry holds a secret. Each part of the day has a file of its
//! own.

use std::collections::BTreeSet;
use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::deliver::Courier;
use idp::actions::grants::Ask;
use idp::audit::Action;
use idp::time::Clock;

use super::{afternoon, approvals, before_five, before_six, early, evening, morning, night, noon, objections, post};
use crate::mail::with_server;
use crate::mail_server::{MailServer, Mode};
use crate::world::{Browser, Member, PASSWORD, Phone, World, host};

/// A day in the life: what each hour does, and every secret that came up.
pub struct Day {
    pub world: World,
    pub ada: Browser,
    pub phone: Phone,
    pub server: MailServer,
    pub courier: Courier,
    pub secrets: Vec<String>,
    mark: i64,
}

impl Day {
    fn new() -> Self {
        let server = MailServer::start(Mode::Plain);
        // The host's commands go by the host's clock, and the first people take a moment.
        let clock = Clock::at(Clock::System.now().minus(Duration::from_secs(300)));
        let (world, ada, phone) = World::by(clock, "http://localhost:8080", with_server(&server)).owned();
        let secrets = vec![PASSWORD.to_owned()];
        world.without_second_person();
        Self { world, ada, phone, server, courier: Courier::default(), secrets, mark: 0 }
    }

    /// What was told since the last time this was asked, repetitions counted.
    pub fn told(&mut self) -> Vec<String> {
        let mut story: Vec<(String, u32)> = Vec::new();
        for line in self.world.story_since(self.mark) {
            match story.last_mut() {
                Some((last, times)) if *last == line => *times += 1,
                _ => story.push((line, 1)),
            }
        }
        self.mark = self.world.head();
        let line = |(line, times): (String, u32)| if times == 1 { line } else { format!("{line} x{times}") };
        story.into_iter().map(|(text, times)| line((text.replace(" success", ""), times))).collect()
    }

    pub fn secret(&mut self, secret: &str) -> String {
        self.secrets.push(secret.to_owned());
        self.secrets.push(secret.replace('-', ""));
        secret.to_owned()
    }

    /// Adds a person as the owner, and they accept.
    pub fn person(&mut self, email: &str, name: &str, role: &str) -> Member {
        let member = self.world.person(&mut self.ada, email, name, role);
        let codes = member.codes.clone();
        codes.iter().for_each(|code| drop(self.secret(code)));
        member
    }

    /// As the host's commands ask.
    pub fn by_host(id: &str) -> Ask {
        Ask { by: By::Host, user: id.parse().unwrap(), nonce: None, source: host() }
    }
}

/// What is told of somebody who is added and accepts.
pub const INVITED: [&str; 6] = [
    "user.created",
    "user.invited",
    "user.password_changed",
    "mfa.factor_enrolled",
    "mfa.backup_codes_generated",
    "user.signed_in",
];

fn actions(world: &World) -> impl Iterator<Item = String> {
    world.entries().into_iter().map(|e| e.header.action)
}

/// Secrets are typed in any case, so they are looked for in any.
fn holds_no_secret(world: &World, secrets: &[String]) {
    let stored = String::from_utf8_lossy(&world.everything_stored()).to_lowercase();
    let told: String = world.entries().into_iter().filter_map(|e| e.body).collect::<String>().to_lowercase();
    assert!(stored.contains("mara lindqvist") && told.contains("mara lindqvist"));
    for secret in secrets {
        let secret = secret.to_lowercase();
        assert!(!told.contains(&secret), "an entry holds {secret}");
        assert!(!stored.contains(&secret), "the file holds {secret}");
    }
}

#[test]
fn a_long_day_is_told_exactly_and_no_entry_holds_a_secret() {
    let mut day = Day::new();
    assert_eq!(day.told(), [&["system.initialised"][..], &["user.invited", "user.created"], &INVITED[2..]].concat());
    let mut mara = day.person("mara@fernhill.example", "Mara Lindqvist", "member");
    assert_eq!(day.told(), INVITED);
    let backup = early::early(&mut day);
    morning::morning(&mut day, &mut mara);
    noon::noon(&mut day, &mara);
    afternoon::afternoon(&mut day, &mara);
    before_five::before_five(&mut day);
    before_six::before_six(&mut day);
    let mut tom = approvals::approvals(&mut day);
    objections::objections(&mut day, &mut tom);
    post::post(&mut day);
    evening::evening(&mut day);
    let restored = night::night(&day, &backup);

    let seen: BTreeSet<String> = actions(&day.world).chain(actions(&restored)).collect();
    // It begins with a database that an older version has written, which this version can not make: `tests/upgrade.rs`.
    // And what is erased is over a year old: `tests/retention.rs`.
    let elsewhere = [Action::SystemUpgraded, Action::AuditPruned];
    for action in Action::ALL {
        assert_ne!(seen.contains(action.as_str()), elsewhere.contains(action), "{action}");
    }
    let told: String = day.world.entries().into_iter().filter_map(|e| e.body).collect();
    assert!(told.contains("lost her phone on the train"));
    day.secrets.extend(day.ada.cookies.values().cloned());
    holds_no_secret(&day.world, &day.secrets);
    holds_no_secret(&restored, &day.secrets);
}
