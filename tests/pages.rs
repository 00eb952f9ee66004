//! What every answer carries, and what bad input gets.

use idp::audit::Action;
use idp::http::Request;

use crate::world::{Answer, PASSWORD, World, body, host};

fn form(path: &str, body: &[u8]) -> Request {
    Request::post(path, body.to_vec()).with_header("Content-Type", "application/x-www-form-urlencoded")
}

fn is_protected(answer: &Answer, https: bool) {
    let policy = answer.header("content-security-policy").expect("a policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.header("strict-transport-security").is_some(), https);
    assert!(answer.header("cache-control").is_some());
    for inline in ["<style", "style=\"", "onclick", "onload", "javascript:", "<script>"] {
        assert!(!answer.body.contains(inline), "{inline}");
    }
}

#[test]
fn every_answer_carries_the_protecting_headers_errors_included() {
    for (url, https) in [("http://localhost:8080", false), ("https://id.fernhill.example", true)] {
        let world = World::at(url);
        let long = format!("/{}", "x".repeat(8_000));
        let mut browser = world.browser();
        let token = idp::actions::first_run::setup_link(&world.app.means, host()).unwrap().unwrap().to_text();
        let setup = format!("/setup/{token}");
        let wanted = [
            (Request::get("/"), 303),
            (Request::get("/sign-in"), 200),
            (Request::get(&setup), 200),
            (Request::get("/profile"), 303),
            (Request::get("/nowhere"), 404),
            (Request::get(&long), 404),
            (Request::get("/assets/nothing.css"), 404),
            (Request::get("/invitation/x"), 410),
            (Request::get("/sign-in?next=%2F&next=%2F"), 400),
            (Request::new("PUT".parse().unwrap(), "/sign-in"), 405),
            (form("/sign-in", b"email=x"), 403),
            (form("/profile/password", b""), 401),
            (form("/sign-in", b"email=%FF"), 400),
            (Request::post("/sign-in", b"{}".to_vec()).with_header("Content-Type", "application/json"), 415),
            (Request::post("/sign-in", b"email=x".to_vec()), 415),
        ];
        for (request, status) in wanted {
            let said = format!("{request:?}");
            let answer = browser.send(request);
            assert_eq!(answer.status, status, "{said}: {}", answer.text());
            is_protected(&answer, https);
        }
        world.app.pretend_free(Some(0));
        browser.get("/sign-in");
        let answer = browser.post("/sign-in", &[("email", "a@b.example"), ("password", "x")]);
        assert_eq!(answer.status, 507);
        is_protected(&answer, https);
    }
}

#[test]
fn pages_with_anything_personal_are_never_stored_by_a_browser_and_assets_are() {
    let (world, mut ada, _) = World::with_owner();
    for path in ["/profile", "/admin/users", "/admin/audit", "/sign-in", "/nowhere"] {
        assert_eq!(ada.get(path).header("cache-control"), Some("no-store"), "{path}");
        is_protected(&ada.page, false);
    }
    let page = ada.get("/profile");
    let at = page.body.find("/assets/").unwrap();
    let asset: String = page.body[at..].chars().take_while(|c| *c != '"').collect();
    let answer = world.browser().get(&asset);
    assert_eq!(answer.status, 200, "{asset}");
    assert_ne!(answer.header("cache-control"), Some("no-store"));
    is_protected_asset(&answer);
}

fn is_protected_asset(answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("content-security-policy").is_some());
}

#[test]
fn fields_that_are_unknown_repeated_or_unreadable_are_refused_by_name_and_nothing_is_done() {
    let (world, mut ada, _) = World::with_owner();
    let before = world.head();
    let mut browser = world.browser();
    browser.get("/sign-in");
    let csrf = browser.page.hidden("csrf").unwrap();
    let address = "email=ada%40fernhill.example";
    for (sent, said) in [
        (format!("{address}&password=x&password=y"), "The field “password” was sent twice."),
        (format!("{address}&password=x&role=owner"), "There is no field “role” here."),
        (format!("{address}&password=%C3%28"), "no readable text"),
        (format!("{address}&password=x&%FF=1"), "no readable text"),
        (format!("{address}&csrf={csrf}&password=x"), "The field “csrf” was sent twice."),
    ] {
        let answer = browser.post_raw("/sign-in", &format!("csrf={csrf}&{sent}"));
        assert_eq!(answer.status, 400, "{sent}");
        assert!(answer.says(said), "{}", answer.text());
    }
    let answer = browser.post_raw("/sign-in?next=%2Fprofile", &format!("csrf={csrf}&{address}&password=x"));
    assert!(answer.status == 400 && answer.says("without a query"), "{}", answer.text());
    for query in ["q=a&q=b", "evil=1", "q=%FF", "q=%C3%28"] {
        assert_eq!(ada.get(&format!("/admin/users?{query}")).status, 400, "{query}");
    }
    for query in ["q=%00", "q=%27%22%3E%3Cscript%3E", "after=nonsense", "state=nonsense", "role=nonsense", "q="] {
        let status = ada.get(&format!("/admin/users?{query}")).status;
        assert!([200, 400, 422].contains(&status), "{query}: {status}");
        assert!(!ada.page.body.contains("<script>"), "{query}");
    }
    assert_eq!(world.head(), before);
}

#[test]
fn an_empty_body_or_one_of_nothing_but_separators_is_a_form_without_fields() {
    let (world, ..) = World::with_owner();
    let mut browser = world.browser();
    for body in ["", "&", "&&&", "=", "csrf"] {
        browser.get("/sign-in");
        let status = browser.post_raw("/sign-in", body).status;
        assert!(status == 403 || status == 400, "{body:?}: {status}");
    }
}

#[test]
fn markup_in_what_people_typed_is_shown_as_text() {
    let (world, mut ada, _) = World::with_owner();
    let name = "<script>alert(1)</script>";
    let mara = world.person(&mut ada, "mara@fernhill.example", name, "member");
    for path in ["/admin/users".to_owned(), format!("/admin/users/{}", mara.id), "/admin/audit".to_owned()] {
        let page = ada.get(&path);
        assert!(page.body.contains("&lt;script&gt;") && !page.body.contains("<script>alert"), "{path}");
    }
    let mut browser = world.browser();
    browser.agent = "<img src=x onerror=alert(1)>\r\nSet-Cookie: a=b".into();
    browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    assert!(!browser.get("/profile").body.contains("<img src=x"));
}

#[test]
fn links_are_built_from_the_public_url_whatever_the_headers_say() {
    let (world, mut ada, _) = World::with_owner();
    ada.get("/admin/users/new");
    let csrf = ada.page.hidden("csrf").unwrap();
    let nonce = ada.page.hidden("nonce").unwrap();
    let body = format!("csrf={csrf}&nonce={nonce}&email=mara%40fernhill.example&name=Mara&role=member");
    let request = form("/admin/users/new", body.as_bytes())
        .with_header("Host", "evil.example")
        .with_header("Forwarded", "host=evil.example;proto=https")
        .with_header("X-Forwarded-Host", "evil.example")
        .with_header("X-Forwarded-Proto", "https");
    let request = ada.dress(request);
    let page = ada.send(request);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.body.contains("http://localhost:8080/invitation/") && !page.body.contains("evil.example"));
    for path in ["/", "/profile", "/nowhere"] {
        let answer = world.browser().send(Request::get(path).with_header("Host", "evil.example"));
        assert!(answer.location().starts_with('/') || answer.location().is_empty());
        assert!(!answer.body.contains("evil.example"));
    }
}

#[test]
fn a_forwarded_address_counts_only_behind_the_configured_proxy() {
    let proxy = "10.0.0.1";
    let send = |world: &World, peer: &str, lines: &[&str]| {
        let mut browser = world.browser().from(peer);
        browser.get("/sign-in");
        let csrf = browser.page.hidden("csrf").unwrap();
        let body = format!("csrf={csrf}&email=nobody%40fernhill.example&password=some+guess");
        let request = lines.iter().fold(form("/sign-in", body.as_bytes()), |r, l| r.with_header("X-Forwarded-For", l));
        let request = browser.dress(request);
        assert_eq!(browser.send(request).status, 401);
        world.later(std::time::Duration::from_secs(60));
        world.sweep();
        self::body(world.entries_of(Action::UserSignInFailed).last().unwrap()).from_where()
    };
    let world = World::new();
    assert!(send(&world, proxy, &["198.51.100.7"]).contains(proxy), "no proxy is configured");
    let world = World::with("http://localhost:8080", |s| s.trusted_proxy = vec![proxy.parse().unwrap()]);
    assert!(send(&world, "203.0.113.4", &["198.51.100.7"]).contains("203.0.113.4"), "a stranger says so");
    assert!(send(&world, proxy, &["198.51.100.7"]).contains("198.51.100.7"));
    assert!(send(&world, proxy, &["192.0.2.66, 198.51.100.7"]).contains("198.51.100.7"), "what stands left is typed");
    assert!(send(&world, proxy, &["192.0.2.66", "198.51.100.7"]).contains("198.51.100.7"), "two lines are one list");
    assert!(send(&world, proxy, &["not an address"]).contains(proxy));
}

#[test]
fn an_error_says_what_happened_and_what_to_do_with_a_number_to_quote() {
    let (world, ..) = World::with_owner();
    let mut browser = world.browser();
    for path in ["/nowhere", "/sign-in?next=%2F&next=%2F"] {
        let page = browser.get(path);
        assert!(page.says("Request") && page.body.contains("href="), "{}", page.text());
    }
}

#[test]
fn what_a_chat_program_adds_to_a_link_does_no_harm_and_a_mistyped_filter_is_told() {
    let (world, mut ada, _) = World::with_owner();
    let link = world.invite(&mut ada, "kim@fernhill.example", "Kim", "member");
    let mut kim = world.browser();
    assert_eq!(kim.get(&format!("{link}?fbclid=abc&utm_source=mail")).status, 200);
    assert_eq!(kim.get("/sign-in?next=%2Fprofile&gclid=1").status, 200);
    assert_eq!(ada.get("/admin/audit?acton=user.created").status, 400);
}
