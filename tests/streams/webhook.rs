//! To a webhook.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::hook_server::{HookServer, Next};
use super::receivers::{Certificates, first_of_each, until};
use super::{Sent, link};
use crate::mail_server::write_private;

const MINUTE: Duration = Duration::from_secs(60);
/// 24 bytes, the shortest that there may be.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A receiver, and the settings that lead to it, with a room for the secret.
struct Hook {
    server: HookServer,
    room: tempfile::TempDir,
}

impl Hook {
    fn start(tls: Option<Certificates>) -> Self {
        let hook = Self { server: HookServer::start(tls), room: tempfile::tempdir().unwrap() };
        write_private(&hook.room.path().join("secret"), &format!("{SECRET}\n"));
        hook
    }

    fn toml(&self) -> String {
        let ca =
            self.server.ca_file().map_or(String::new(), |path| format!("webhook_ca_file = \"{}\"\n", path.display()));
        let secret = self.room.path().join("secret");
        format!(
            "webhook = \"{}/in?token=quiet\"\nwebhook_secret_file = \"{}\"\n{ca}",
            self.server.place(),
            secret.display()
        )
    }

    /// The lines of entries in the bodies of what it took.
    fn lines(&self) -> Vec<String> {
        let line = |body: &String| body.split_once(",\"data\":").unwrap().1.strip_suffix('}').unwrap().to_owned();
        self.server.bodies().iter().map(line).collect()
    }
}

#[test]
fn every_entry_is_posted_in_its_order_over_one_connection_in_clear_to_this_machine_and_over_tls() {
    for tls in [None, Some(Certificates::make())] {
        let hook = Hook::start(tls);
        let (mut sent, mut ada, _) = Sent::owned(&hook.toml());
        sent.world.person(&mut ada, "mara@fernhill.example", "Måra “Quote” Lindqvist", "member");
        sent.write(120);
        sent.round();
        assert_eq!(hook.lines(), sent.lines());
        assert_eq!(hook.server.connections(), 1);
        assert_eq!((sent.standing().sent, sent.standing().failing), (sent.world.head(), None));
        let requests = hook.server.requests();
        let request = &requests[0];
        assert_eq!(request.line, "POST /in?token=quiet HTTP/1.1");
        assert_eq!(request.header("content-type"), "application/json");
        assert!(hook.server.place().ends_with(request.header("host")));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["type"], body["data"]["action"]);
        assert_eq!(body["timestamp"], body["data"]["at"]);
        assert_eq!(body.as_object().unwrap().len(), 3);
    }
}

/// Standard Webhooks, as its page says it, by another language's library.
const VERIFY: &str = "
import base64, hashlib, hmac, json, sys, time
secret = base64.b64decode(sys.argv[1].removeprefix('whsec_'))
for line in sys.stdin:
    id, timestamp, signature, body = json.loads(line)
    signed = hmac.new(secret, f'{id}.{timestamp}.{body}'.encode(), hashlib.sha256).digest()
    assert signature == 'v1,' + base64.b64encode(signed).decode(), signature
    assert abs(time.time() - int(timestamp)) < 300 and '.' not in id
print('all good')
";

#[test]
fn each_request_is_signed_so_that_anyone_with_the_secret_can_tell() {
    let hook = Hook::start(None);
    let mut sent = Sent::to(&hook.toml());
    sent.write(3);
    sent.round();
    let mut lines = String::new();
    for request in hook.server.requests() {
        let parts =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| request.header(name).to_owned());
        let [id, timestamp, signature] = parts;
        lines += &format!("{}\n", serde_json::json!([id, timestamp, signature, request.body]));
    }
    let input = hook.room.path().join("requests");
    std::fs::write(&input, lines).unwrap();
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", VERIFY, SECRET]).stdin(std::fs::File::open(&input).unwrap());
    let output = python.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "all good\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(hook.server.requests().len(), 3);
}

#[test]
fn whatever_is_no_yes_is_tried_again_with_the_same_id_before_anything_else() {
    let hook = Hook::start(None);
    let mut sent = Sent::to(&hook.toml());
    let refusals = [
        (Next::Answers(500), "it answers 500"),
        (Next::AnswersOnce(503), "it answers 503"),
        (Next::Answers(302), "it answers 302, that it is elsewhere, which is not followed"),
        (Next::Answers(401), "does it have the secret of webhook_secret_file?"),
        (Next::Answers(410), "it answers 410"),
        (Next::Answers(404), "it answers 404"),
    ];
    for (n, (next, why)) in refusals.into_iter().enumerate() {
        sent.write(3);
        hook.server.next(&[Next::Answers(200), next]);
        sent.world.later(5 * MINUTE);
        sent.round();
        let standing = sent.standing();
        let failing = standing.failing.unwrap_or_else(|| panic!("{next:?}"));
        assert!(failing.error.contains(why), "{}", failing.error);
        assert!(!failing.error.contains("quiet") && !standing.place.contains("quiet"));
        // Before it is time, nobody asks again.
        let asked = hook.server.requests().len();
        sent.round();
        assert_eq!(hook.server.requests().len(), asked);
        sent.world.later(5 * MINUTE);
        sent.round();
        assert_eq!((sent.standing().sent, sent.standing().failing), (sent.world.head(), None));
        assert_eq!(hook.lines(), sent.lines(), "round {n}");
    }
    let ids: Vec<_> = hook.server.requests().iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 18 + 6);
    assert_eq!(first_of_each(&ids).len(), 18, "a repeated entry has the id that it had");
    assert!(ids[0].ends_with(&format!("_{}", sent.from + 1)), "{}", ids[0]);
}

#[test]
fn a_kept_connection_that_the_receiver_closed_is_made_anew_and_that_is_no_failure() {
    let hook = Hook::start(None);
    let mut sent = Sent::to(&hook.toml());
    hook.server.next(&[Next::AnswersOnce(200), Next::Answers(200), Next::Closes, Next::Answers(204)]);
    sent.write(3);
    sent.round();
    assert_eq!(sent.standing().failing, None);
    assert_eq!(hook.lines(), sent.lines());
    // One that always closes without a word takes nothing.
    hook.server.next(&[Next::Closes; 4]);
    sent.write(1);
    sent.round();
    assert!(sent.standing().failing.unwrap().error.contains("closed the connection without an answer"));
}

#[test]
fn a_receiver_that_says_nothing_is_given_up_for_now_and_one_that_is_down_for_an_hour_loses_nothing() {
    let mut hook = Hook::start(None);
    let mut sent = Sent::to(&hook.toml());
    hook.server.next(&[Next::Stalls]);
    sent.write(4);
    sent.round_of(Duration::from_millis(500));
    assert!(sent.standing().failing.unwrap().error.contains("it does not answer in time"));
    hook.server.stop();
    for minute in 0..60 {
        sent.write(3);
        sent.round();
        if minute % 20 == 9 {
            sent.killed();
        }
        sent.world.later(MINUTE);
    }
    let standing = sent.standing();
    assert!(standing.is_stuck(sent.world.now()) && standing.sent == sent.from);
    assert!(standing.failing.unwrap().error.contains("it can not be reached"));
    hook.server.start_again();
    sent.world.later(5 * MINUTE);
    sent.round();
    assert_eq!(hook.lines(), sent.lines());
    assert_eq!(sent.lines().len(), 184);
}

#[test]
fn who_is_killed_while_sending_posts_again_what_it_could_not_note_and_nothing_else() {
    let hook = Hook::start(None);
    let mut sent = Sent::to(&hook.toml());
    sent.write(10);
    sent.round();
    // As if it had been killed before the mark moved.
    let db = rusqlite::Connection::open(sent.world.database()).unwrap();
    db.execute("UPDATE streams SET sent = sent - 4", []).unwrap();
    drop(db);
    sent.killed();
    sent.round();
    let ids: Vec<_> = hook.server.requests().iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!((ids.len(), first_of_each(&ids).len()), (14, 10));
    assert_eq!(ids[10..], ids[6..10]);
}

#[test]
fn a_certificate_that_is_not_trusted_gets_no_request() {
    let hook = Hook::start(Some(Certificates::make()));
    let other = Certificates::make();
    let right = hook.toml();
    let ca = hook.server.ca_file().unwrap().display().to_string();
    for toml in [
        right.replace(&ca, &other.ca_file().display().to_string()),
        right.replace("127.0.0.1", "localhost"),
        right.lines().filter(|line| !line.starts_with("webhook_ca_file")).collect::<Vec<_>>().join("\n"),
    ] {
        let mut sent = Sent::to(&toml);
        sent.write(1);
        sent.round();
        let error = sent.standing().failing.unwrap().error;
        assert!(error.contains("its certificate is not trusted") && error.contains("webhook_ca_file"), "{error}");
    }
    assert!(hook.server.requests().is_empty());
    until("the right one is trusted", || link(&right).check() == Ok(()));
}

#[test]
fn a_secret_that_is_missing_short_or_open_to_others_is_refused_with_what_to_do_and_not_shown() {
    use std::os::unix::fs::PermissionsExt;
    let hook = Hook::start(None);
    let file = hook.room.path().join("secret");
    let refused = |what: &str| {
        let config = super::config(&hook.toml());
        let Err(e) = idp::app::links(&config, &super::URL.parse().unwrap()) else { panic!("{what}") };
        let said = e.to_string();
        assert!(said.contains(what) && said.contains(file.to_str().unwrap()), "{said}");
        said
    };
    for (text, what) in [
        ("", "holds no secret that begins with whsec_"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "holds no secret that begins with whsec_"),
        ("whsec_not base64", "holds no base64"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", "holds a secret that is too short"),
        (&format!("whsec_{}", data_encoding::BASE64.encode(&[7; 65])), "holds a secret that is too long"),
    ] {
        write_private(&file, text);
        let said = refused(what);
        assert!(said.contains("openssl rand -base64 32") && !said.contains("MfKQ"), "{said}");
    }
    write_private(&file, SECRET);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(refused("is open to other accounts of this host (mode 644)").contains("run chmod 600"));
    std::fs::remove_file(&file).unwrap();
    refused("can not open");
    // What makes one, as the sentence says it.
    let made = Command::new("sh").args(["-c", "echo \"whsec_$(openssl rand -base64 32)\""]).output().unwrap();
    write_private(&file, &String::from_utf8(made.stdout).unwrap());
    link(&hook.toml());
}
