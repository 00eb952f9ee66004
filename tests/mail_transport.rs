//! Mail goes out through a real server, encrypted or not at all, and an error says what there is to do.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use idp::config::{MailSettings, Security};
use idp::host::smtp::{Letter, Smtp, Unsent};

use crate::cli_world::Folder;
use crate::mail_server::{FROM, MailServer, Mode, Received, write_private};
use crate::served::Server;

const MARA: &str = "mara@fernhill.example";
const PASSWORD: &str = "mellow-Otter-9/quarry";

fn letter() -> Letter {
    Letter {
        to: MARA.parse().unwrap(),
        name: "Mara Lindqvist".into(),
        subject: "Your second factors were reset".into(),
        text: "Hello Mara,\n\nåtgärd.\n".into(),
        html: Some("<p>Hello Mara, <b>åtgärd</b>.</p>".into()),
        file: None,
        message_id: "R-2026-0042.1@id.fernhill.example".into(),
    }
}

fn smtp(settings: &MailSettings) -> Smtp {
    Smtp::new(settings, "Fernhill Joinery").unwrap()
}

/// Sends one letter to this server as its settings have it.
fn send(server: &MailServer) -> Result<(), Unsent> {
    smtp(&server.settings()).send(&letter())
}

/// The one letter that arrived.
#[track_caller]
fn only(server: &MailServer) -> Received {
    let mut all = server.received();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[track_caller]
fn later(sent: Result<(), Unsent>, what: &str) {
    assert!(matches!(&sent, Err(Unsent::Later(why)) if why.contains(what)), "{sent:?}");
}

#[track_caller]
fn never(sent: Result<(), Unsent>, what: &str) {
    assert!(matches!(&sent, Err(Unsent::Never(why)) if why.contains(what)), "{sent:?}");
}

#[track_caller]
fn settings(sent: Result<(), Unsent>, what: &str) {
    assert!(matches!(&sent, Err(Unsent::Settings(why)) if why.contains(what)), "{sent:?}");
}

#[test]
fn a_letter_arrives_through_starttls_with_everything_that_was_written() {
    let server = MailServer::start(Mode::Starttls);
    assert_eq!(send(&server), Ok(()));
    let got = only(&server);
    assert_eq!((got.from.as_str(), got.to.as_slice()), (FROM, [MARA.to_owned()].as_slice()));
    assert_eq!(got.from_header, [("Fernhill Joinery".to_owned(), FROM.to_owned())]);
    assert_eq!(got.to_header, [("Mara Lindqvist".to_owned(), MARA.to_owned())]);
    assert_eq!((got.subject.as_str(), got.media_type.as_str()), (&*letter().subject, "multipart/alternative"));
    assert_eq!(
        got.text.as_deref().map(|t| t.replace("\r\n", "\n")).as_deref().map(str::trim_end),
        Some(letter().text.trim_end())
    );
    assert_eq!(got.html.as_deref().map(str::trim_end), letter().html.as_deref());
    assert_eq!(got.header("message-id"), ["<R-2026-0042.1@id.fernhill.example>"]);
    assert_eq!(got.header("auto-submitted"), ["auto-generated"]);
    assert_eq!((got.header("date").len(), got.header("mime-version").len()), (1, 1));
    let clear = server.heard_in_clear();
    assert!(clear.starts_with("EHLO ") && clear.ends_with("\r\nSTARTTLS\r\n") && clear.lines().count() == 2, "{clear}");
}

#[test]
fn a_letter_arrives_through_tls_and_from_a_server_on_this_machine_without() {
    for mode in [Mode::Tls, Mode::Plain] {
        let server = MailServer::start(mode);
        let plain = Letter { html: None, ..letter() };
        assert_eq!(smtp(&server.settings()).send(&plain), Ok(()), "{mode:?}");
        let got = only(&server);
        assert_eq!((got.media_type.as_str(), got.html.as_deref()), ("text/plain", None));
        assert_eq!(server.heard_in_clear().is_empty(), mode == Mode::Tls);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_gets_no_letter_and_nothing_in_clear() {
    let elsewhere = MailServer::start(Mode::Starttls);
    for mode in [Mode::Starttls, Mode::Tls] {
        let server = MailServer::with_account(mode, "idp", PASSWORD);
        // Another issuer of one's own; the public ones, of whom none issued this; and the right one for another name.
        let others = [
            MailSettings { ca_file: Some(elsewhere.ca_file()), ..server.settings() },
            MailSettings { ca_file: None, ..server.settings() },
            named(server.settings(), "localhost"),
        ];
        for wrong in others {
            settings(smtp(&wrong).send(&letter()), "is not trusted (invalid peer certificate: ");
        }
        let clear = server.heard_in_clear();
        assert!(clear.lines().all(|line| line.starts_with("EHLO ") || line == "STARTTLS"), "{clear}");
        assert_eq!((server.received().len(), send(&server)), (0, Ok(())));
    }
}

fn named(mut settings: MailSettings, host: &str) -> MailSettings {
    settings.server.host = host.to_owned();
    settings
}

#[test]
fn a_server_without_starttls_gets_no_letter_and_no_password() {
    let server = MailServer::with_account(Mode::Plain, "idp", PASSWORD);
    let wanted = MailSettings { security: Security::Starttls, ca_file: Some(server.ca_file()), ..server.settings() };
    settings(smtp(&wanted).send(&letter()), "offers no STARTTLS");
    let clear = server.heard_in_clear();
    assert!(clear.starts_with("EHLO ") && clear.lines().count() == 1, "{clear}");
    assert!(server.received().is_empty());
    // And the way round: what does not speak TLS at all.
    let wanted = MailSettings { security: Security::Tls, ..wanted };
    settings(smtp(&wanted).send(&letter()), "does not speak as smtp_security has it");
}

#[test]
fn answers_that_somebody_adds_before_the_encryption_begins_do_not_pass_for_the_servers() {
    let server = MailServer::start(Mode::Injecting);
    settings(send(&server), "somebody between here and 127.0.0.1");
    settings(smtp(&server.settings()).check(), "nothing was sent");
}

#[test]
fn a_letter_goes_out_with_the_right_password_and_without_it_the_operator_is_told_and_the_password_is_not() {
    for mode in [Mode::Starttls, Mode::Tls, Mode::Plain] {
        let server = MailServer::with_account(mode, "idp", PASSWORD);
        assert_eq!(send(&server), Ok(()), "{mode:?}");
        assert_eq!(server.received().len(), 1);
        // The server repeats the password that it refuses; this one tells the user's name as well.
        let account = server.settings().account.unwrap();
        for wrong in ["another-Badger-7", "YW5vdGhlci1CYWRnZXItNw=="] {
            write_private(&account.password_file, wrong);
            let sent = send(&server);
            settings(sent.clone(), "does not let smtp_user in: 535");
            assert!(!format!("{sent:?} {:?}", smtp(&server.settings())).contains(wrong), "{sent:?}");
        }
        // Who does not sign in is told to.
        let unsigned = MailSettings { account: None, ..server.settings() };
        settings(smtp(&unsigned).send(&letter()), "wants a sign-in: 530");
        assert_eq!(server.received().len(), 1);
    }
    let open = MailServer::start(Mode::Starttls);
    let account = MailServer::with_account(Mode::Starttls, "idp", PASSWORD).settings().account;
    write_private(&open.ca_file().with_file_name("password"), PASSWORD);
    let account = account.map(|account| idp::config::MailAccount {
        password_file: open.ca_file().with_file_name("password"),
        ..account
    });
    let signed = MailSettings { account, ..open.settings() };
    settings(smtp(&signed).send(&letter()), "offers no sign-in with a password");
}

#[test]
fn a_server_that_is_down_is_tried_again_later_and_takes_the_letter_when_it_is_back() {
    let server = MailServer::start(Mode::Starttls);
    let smtp = smtp(&server.settings());
    server.stop();
    later(smtp.send(&letter()), "can not be reached");
    later(smtp.check(), "can not be reached");
    server.start_again();
    assert_eq!((smtp.check(), smtp.send(&letter())), (Ok(()), Ok(())));
    assert_eq!(only(&server).to, [MARA]);
    let nowhere = named(server.settings(), "nowhere.invalid");
    later(Smtp::new(&nowhere, "x").unwrap().send(&letter()), "can not be reached");
}

#[test]
fn a_server_that_says_nothing_is_given_up_within_half_a_minute() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut wanted = MailServer::start(Mode::Plain).settings();
    wanted.server.port = silent.local_addr().unwrap().port();
    let began = Instant::now();
    later(smtp(&wanted).send(&letter()), "does not answer in time");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn not_now_is_later_and_not_this_one_is_never() {
    let server = MailServer::start(Mode::Starttls);
    let smtp = smtp(&server.settings());
    for code in [421, 450, 451, 452] {
        server.refuse(MARA, code);
        later(smtp.send(&letter()), &format!("asks to try again later: {code} 4.7.1 not now, not here"));
    }
    for code in [550, 551, 553, 554] {
        server.refuse(MARA, code);
        never(smtp.send(&letter()), &format!("refuses the recipient: {code} 5.7.1 not now, not here"));
    }
    let sam = Letter { to: "sam@fernhill.example".parse().unwrap(), ..letter() };
    assert_eq!(smtp.send(&sam), Ok(()), "another recipient is not meant");
    server.refuse("letter", 451);
    later(smtp.send(&sam), "451");
    server.refuse("letter", 554);
    never(smtp.send(&sam), "refuses the message: 554");
    // A sender that is not taken is no matter of one letter.
    server.refuse(FROM, 550);
    settings(smtp.send(&sam), "takes no mail from idp@fernhill.example: 550");
    assert_eq!(server.received().len(), 1);
}

#[test]
fn names_and_subjects_that_mean_harm_make_no_header_and_no_further_recipient() {
    let server = MailServer::start(Mode::Starttls);
    let long = "x".repeat(1_000);
    let wide = "Žofie ".repeat(200);
    let hostile = [
        "a\r\nBcc: eve@evil.example",
        "a\nBcc: eve@evil.example\n\nbody",
        "a\rTo: eve@evil.example",
        "a\r\n\r\n.\r\nMAIL FROM:<eve@evil.example>",
        "\"a\" <eve@evil.example>",
        "a\" <eve@evil.example>, \"b",
        "eve@evil.example, Mara",
        "Mara\\",
        "\\\"Mara",
        "a: b; c <d> (e) [f]",
        "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
        "å =?utf-8?q?=0D=0AX?= =\u{200b}?utf-8?b?DQpY?=",
        "مريم العلي",
        "a\u{202e}drazil\u{200b}\u{2028}Bcc: eve@evil.example",
        "\u{0}\u{7f}\u{1b}[31m",
        "名前 🦔",
        "",
        &long,
        &wide,
    ];
    for name in hostile {
        let before = server.received().len();
        let sent = Letter { name: name.into(), subject: name.into(), ..letter() };
        let smtp = Smtp::new(&server.settings(), name).unwrap();
        assert_eq!(smtp.send(&sent), Ok(()), "{name:?}");
        let all = server.received();
        let got = all.last().unwrap();
        assert_eq!(all.len(), before + 1, "{name:?}");
        assert_eq!((got.from.as_str(), got.to.as_slice()), (FROM, [MARA.to_owned()].as_slice()), "{name:?}");
        for (header, address) in [(&got.from_header, FROM), (&got.to_header, MARA)] {
            assert_eq!(header.iter().map(|(_, a)| a.as_str()).collect::<Vec<_>>(), [address], "{name:?}: {got:?}");
            assert_eq!(header[0].0, expected(name, 100), "{name:?}");
        }
        assert_eq!(got.subject, expected(name, 200), "{name:?}");
        let mut heads: Vec<_> = got.headers.iter().map(|(n, _)| n.to_lowercase()).collect();
        heads.retain(|head| !head.starts_with("x-"));
        heads.sort();
        let all = ["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"];
        assert_eq!(heads, all, "{name:?}");
        assert!(got.text.as_deref().is_some_and(|text| text.starts_with("Hello Mara,")), "{name:?}");
        let raw = got.raw();
        assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998), "{name:?}: {raw}");
    }
}

/// What a mail program shows of it.
fn expected(name: &str, most: usize) -> String {
    let seen = name.chars().filter(|c| !matches!(c, '\u{202e}' | '\u{200b}' | '\u{2028}'));
    let seen: String = seen.map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = seen.split_whitespace().collect::<Vec<_>>().join(" ").replace("=?", "= ?");
    line.chars().take(most).collect::<String>().trim_end().to_owned()
}

#[test]
fn a_text_arrives_as_it_was_written_whatever_its_lines_are() {
    let server = MailServer::start(Mode::Plain);
    let long = format!("{}\n", "word ".repeat(1_000));
    for text in [".\n..\n.hidden\n", "From here\nQUIT\n", &long, "a\r\nb\rc\n", "tail  \n\ttab\n=3D\n", "🦔\n.\n"] {
        let sent = Letter { text: text.into(), html: Some(text.into()), ..letter() };
        assert_eq!(smtp(&server.settings()).send(&sent), Ok(()), "{text:?}");
        let got = server.received().pop().unwrap();
        let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned();
        assert_eq!(lines(&got.text.unwrap()), lines(text), "{text:?}");
        assert_eq!(lines(&got.html.unwrap()), lines(text), "{text:?}");
    }
}

#[test]
fn a_letter_whose_id_is_none_is_not_sent() {
    let server = MailServer::start(Mode::Plain);
    let long = format!("{}@id.example", "x".repeat(200));
    for id in ["", "plain", "@x", "x@", "a@b>\r\nBcc: eve@evil.example", "<a@b>", "a b@c", "å@c", "a@b@c", &long] {
        let sent = Letter { message_id: id.into(), ..letter() };
        never(smtp(&server.settings()).send(&sent), "the message's id is none");
    }
    assert!(server.received().is_empty());
}

#[test]
fn an_address_of_any_script_is_written_to_where_the_server_takes_it() {
    let server = MailServer::start(Mode::Starttls);
    let sent = Letter { to: "žofie@příklad.example".parse().unwrap(), name: "Žofie".into(), ..letter() };
    assert_eq!(smtp(&server.settings()).send(&sent), Ok(()));
    assert_eq!(only(&server).to, ["žofie@příklad.example"]);
}

#[test]
fn files_that_are_not_as_they_must_be_are_refused_before_anything_is_sent() {
    let server = MailServer::with_account(Mode::Starttls, "idp", PASSWORD);
    let told = |wanted: &MailSettings, what: &str| {
        let said = Smtp::new(wanted, "Fernhill").unwrap_err().to_string();
        assert!(said.contains(what) && !said.contains(PASSWORD), "{said}");
    };
    let file = server.settings().account.unwrap().password_file;
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    told(&server.settings(), &format!("(mode 640): run chmod 600 {}", file.display()));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    for bad in ["", "\n", "two\nlines\n"] {
        write_private(&file, bad);
        told(&server.settings(), "must hold the password, on one line and nothing else");
    }
    write_private(&file, &format!("{PASSWORD}\r\n"));
    assert_eq!(send(&server), Ok(()));
    std::fs::remove_file(&file).unwrap();
    told(&server.settings(), "can not open");
    write_private(&file, PASSWORD);

    let ca = server.ca_file();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for bad in ["", "no certificate", broken] {
        write_private(&ca, bad);
        told(&server.settings(), "holds no certificates in PEM");
    }
    std::fs::remove_file(&ca).unwrap();
    told(&server.settings(), "can not read");
}

#[test]
fn many_letters_at_once_arrive_each_at_its_own_recipient() {
    let server = MailServer::start(Mode::Starttls);
    let smtp = Arc::new(smtp(&server.settings()));
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let smtp = Arc::clone(&smtp);
            std::thread::spawn(move || {
                let to = format!("person{n}@fernhill.example").parse().unwrap();
                smtp.send(&Letter { to, text: format!("for {n}"), ..letter() })
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == Ok(())));
    let all = server.received();
    assert_eq!(all.len(), 8);
    for got in all {
        let n = got.text.as_deref().and_then(|text| text.trim_end().strip_prefix("for ")).unwrap();
        assert_eq!(got.to, [format!("person{n}@fernhill.example")]);
    }
}

#[test]
fn the_server_starts_while_the_mail_server_is_down_and_not_with_a_password_that_others_may_read() {
    let mail = MailServer::with_account(Mode::Starttls, "idp", PASSWORD);
    mail.stop();
    let folder = Folder::new();
    std::fs::write(folder.data().join("idp.toml"), mail.toml()).unwrap();
    let data = folder.data();
    Server::start(&["--data", data.to_str().unwrap()], |_| ()).stop();
    let file = mail.settings().account.unwrap().password_file;
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let ran = folder.idp(&["serve", "--listen", "127.0.0.1:0"]);
    ran.refused(2, &format!("can not send mail: {} is open to other accounts", file.display()));
    let ran = folder.idp(&["serve", "--listen", "127.0.0.1:0", "--smtp-user", "idp", "--smtp-security", "none"]);
    ran.refused(2, "smtp_security is none, so no certificate is looked at");
}
