//! For auditors: what the trail promises and what not, and how to verify an export on one's own machine. Written for
//! somebody who has never heard of a hash.

use maud::{Markup, html};

use super::Frame;
use super::audit::page;
use super::parts::{Tone, card, copy_button, heading, more, notice, table};
use super::words::{exact, grouped};
use crate::time::Timestamp;

/// `GET /admin/audit/promises`.
#[derive(Debug, Clone)]
pub struct PromisesView<'a> {
    /// With what each anchor of this instance begins.
    pub origin: &'a str,
    /// The newest checkpoint, if there is one.
    pub newest: Option<Newest>,
}

/// A checkpoint that could become an anchor.
#[derive(Debug, Clone)]
pub struct Newest {
    /// Up to which entry it says how things are.
    pub seq: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// As it is kept.
    pub text: String,
}

/// `GET /admin/audit/verify`.
#[derive(Debug, Clone)]
pub struct VerifyingView<'a> {
    /// The public key as one line; none if it can not be read.
    pub key: Option<&'a str>,
}

fn above() -> Markup {
    html! { a href="/admin/audit" { "Audit log" } }
}

fn print() -> Markup {
    html! { div class="actions" { button type="button" hidden data-print { "Print" } } }
}

/// What can be relied on, what can not, and what an anchor is.
pub fn promises(frame: &Frame, view: &PromisesView) -> Markup {
    let title = "What this trail promises, and what not";
    let content = html! {
        (heading(Some(&above()), title, Some(&print())))
        p {
            "The audit log, also called the trail, is the list in which this server writes down what happens to accounts: who "
            "did what, when, to whom and why. This page says how far you can rely on it."
        }
        (card("promised", "What it promises", &promised()))
        (card("not-promised", "What it does not promise", &not_promised()))
        (card("anchors", "What an anchor is, and where to find yours", &anchors(view)))
        (card("answers", "What a check can answer, and what to do then", &html! {
            p {
                "An export is checked by a program, on your own computer: "
                a href="/admin/audit/verify" { "How to verify an export on your own machine" } ". Its answer begins with one of "
                "these words."
            }
            (verdicts())
        }))
    };
    page(frame, title, false, &content)
}

fn promised() -> Markup {
    html! {
        ul {
            li {
                strong { "Nothing is done without being written down." } " A change to an account and the entry about it are saved "
                "together, or neither is. What was refused or failed is written down too."
            }
            li {
                strong { "Changing or removing an entry leaves a trace." } " Each entry ends with a seal: a number that is "
                "computed from everything the entry says and from the seal of the entry before. Whoever changes a letter or takes "
                "an entry out has to make new seals for all entries after it, and these contradict every anchor that was kept "
                "since. In this console the seal is called hash."
            }
            li {
                strong { "An export shows that nothing is missing." } " With its proof, anyone can check that each entry in it is as it "
                "was written, and that none is left out that belongs to what was asked for. For that they need neither this "
                "server nor anybody’s word who runs it."
            }
            li {
                strong { "Entries stay." } " What an entry says, such as names and reasons, may be erased after a time that an owner "
                "sets, 400 days at the least, and each time an entry says so. When it was, what kind of thing, and the numbers of "
                "who did it and whom it concerned stay for ever, and so does the seal."
            }
        }
    }
}

fn not_promised() -> Markup {
    html! {
        ul {
            li {
                strong { "It does not prevent; it shows." } " Whoever controls the machine on which this server runs can delete the list "
                "or write it anew. Then it no longer agrees with what was kept elsewhere, and that is how it is found out."
            }
            li {
                strong { "What no anchor has seen can be rewritten." } " Whoever has both the machine and its signing key can replace "
                "everything that was written after the newest anchor, and nothing will show it. The more often an anchor is "
                "kept, the less that is."
            }
            li {
                strong { "An entry can be untrue." } " Whoever has the machine can also write entries about what never happened. No "
                "check can tell whether something was true when it was written, only that it is still what was written."
            }
            li {
                strong { "What is done past this program is not in it." } " Somebody who opens the files on the machine by hand leaves "
                "no entry, but what they change in the list shows at the next check."
            }
            li { strong { "Times are those of the machine’s clock." } " They never go backwards in the list, but they can be wrong." }
        }
    }
}

fn anchors(view: &PromisesView) -> Markup {
    html! {
        p {
            "An anchor is a short text, signed by this server, that says how many entries there were at a moment, and the seal of "
            "the last one. " strong { "It becomes an anchor by being kept where this server can not change it" } ": whoever "
            "rewrites the list later contradicts it. A copy on the machine of the server is none."
        }
        p { "You may have some already:" }
        ul {
            li { "in your mailbox: messages to owners and auditors with the subject “Keep this: receipt for … entries of the audit log”;" }
            li { "on another machine that this server sends its entries to, such as a log server;" }
            li { "on paper, or in a file that somebody keeps: what an export or a backup printed, or this page;" }
            li { "in the page HOW-TO-VERIFY.txt of an earlier export with its proof." }
        }
        p {
            "It is one of this server’s if " code { (view.origin) } " stands in it. What follows is the number of the last "
            "entry that it vouches for."
        }
        @if let Some(newest) = &view.newest {
            p {
                "This is the newest one, about entry " (grouped(newest.seq)) ", signed " (exact(newest.at)) ". Print this page or "
                "copy the text to where this server has no access, and you have an anchor:"
            }
            p class="typed code" id="checkpoint" { (newest.text) }
            p class="screen" { (copy_button("checkpoint", "Copy")) }
        } @else {
            p { "This server has signed none yet. It does so once a day, and with every export that has a proof." }
        }
    }
}

/// Each word with which an answer begins.
fn verdicts() -> Markup {
    let row = |word: &str, means: &str, to_do: &str| {
        vec![html! { strong class="whole" { (word) } }, html! { (means) }, html! { (to_do) }]
    };
    let rows = [
        row(
            "ANCHORED",
            "Up to the number of your anchor everything is as it was, and nothing is missing: the anchor vouches for it. For \
             later entries only the server’s signature does, and that only if you gave its key.",
            "Nothing, if what you wanted to know is older than the anchor. Otherwise wait for a newer anchor, and ask again.",
        ),
        row(
            "UNANCHORED",
            "The files fit each other, and the key if you gave one. Nothing from outside the server vouches for them.",
            "Look for an anchor and ask again. If you gave no key either, anybody could have made such files.",
        ),
        row(
            "INVALID",
            "Something was changed, taken out or put in. The answer says what, and where.",
            "Get the export anew and check that. If it says the same, keep both, and tell somebody who does not run the server.",
        ),
        row(
            "INCOMPLETE",
            "Entries are missing, or the export ends before your anchor.",
            "Have it exported anew, after the moment of your anchor. If it says the same, entries were cut off: keep everything, \
             and tell somebody who does not run the server.",
        ),
        row(
            "DIVERGED",
            "Your anchor and the files tell two different histories. One of them is forged.",
            "Keep both. Compare with the anchors of others, and tell somebody who does not run the server.",
        ),
        row(
            "RESTORED",
            "The server was set back to a backup, and your anchor is about entries that were lost by that. The trail itself says so.",
            "Ask who restored it and why: the entry system.restored says when. Then use an anchor from after it.",
        ),
        row(
            "COULD NOT TELL",
            "A file is missing, can not be read, or belongs to another server. Nothing was found out, neither good nor bad.",
            "Do what the answer says, and ask again.",
        ),
    ];
    table("Answers", &["Answer", "What it means", "What to do"], &rows)
}

/// Step by step, with what to type.
pub fn verifying(frame: &Frame, view: &VerifyingView) -> Markup {
    let title = "How to verify an export on your own machine";
    let content = html! {
        (heading(Some(&above()), title, Some(&print())))
        p {
            "Verifying means: finding out that each entry of an export is what was written down at the time, and that none is "
            "missing. You need no access to this server for it, and need not believe anybody who runs it. "
            a href="/admin/audit/promises" { "What this trail promises, and what not" }
        }
        section class="card" aria-label="Step by step" { ol class="steps" { (steps(view)) } }
        (card("answers", "What the answer means, and what to do", &html! {
            p { "The answer begins with one of these words. Its second line repeats what was asked for, and up to which entry: "
                "compare that with what you wanted to know." }
            (verdicts())
        }))
        (card("second", "Two programs, and a page to write a third", &html! {
            p {
                "Both programs come from the same makers, but the second was written from the description of the files alone and "
                "shares nothing with the first. If they disagree, trust neither, and tell the makers."
            }
            ul {
                li { a href="/admin/audit/verifier" download { "verify_export.py" } ", the second program, which can be read with any editor" }
                li { a href="/admin/audit/format" download { "The description of the files" } ", for programmers" }
            }
            (notice(Tone::Plain, &html! {
                p { "A server that deceives you could also hand you a program that deceives you. Where it matters, get both programs "
                    "from where their makers publish them." }
            }))
        }))
    };
    page(frame, title, false, &content)
}

fn steps(view: &VerifyingView) -> Markup {
    html! {
        li {
            strong { "Export with the proof." } " Choose what you want to see in the " a href="/admin/audit" { "audit log" } ", and export it "
            "with its proof, or have somebody do so. You get an archive with three files. Unpack them into one folder, and do not "
            "save them again with another program."
        }
        li {
            strong { "Get the program." } " The program " code { "idp" } " runs on Linux, as one file, without being installed. On Windows and "
            "macOS use " a href="/admin/audit/verifier" download { "verify_export.py" } " with Python 3 (on Windows type " code { "py" } " in "
            "place of " code { "python3" } "); before its first use type:"
            (command("install", "python3 -m pip install cryptography"))
        }
        li {
            strong { "Get the server’s public key, once." } " It is one line and no secret. With it you see that this server has signed "
            "what you check, and nobody else has."
            @if let Some(key) = view.key {
                " This is it:"
                p class="code" id="key" { (key) }
                p class="screen" { (copy_button("key", "Copy")) }
                p {
                    "Save it in a file named " code { "idp-audit.pub" } ". But it came from the very server that you want to check. So "
                    strong { "compare it once by another way" } ": ask whoever runs the server, in person or by telephone, for what "
                    code { "idp audit key export-public" } " prints there. It must be the same line, to the last character; the part "
                    "behind the second plus sign is the key itself. Then keep the file, and use it every time."
                }
            } @else {
                " It can not be shown, because the file with the signing key is missing or damaged. Ask whoever runs the server: "
                code { "idp audit key show" } " there says what to do."
            }
        }
        li {
            strong { "Find an anchor." } " Something that this server said earlier and that you kept, such as a mail: save the file that "
            "came with it, or the whole message, and name it " code { "anchor.txt" } ". It must not be newer than the export. "
            a href="/admin/audit/promises#anchors" { "What an anchor is, and where to find yours" }
        }
        li {
            strong { "Ask." } " Open a terminal in the folder with the files, and type one of these, with the names of your files in "
            "place of those that begin with audit:"
            (command("ask", "idp audit verify audit.jsonl --proof audit.proof --key idp-audit.pub --anchor anchor.txt"))
            (command("ask-second", "python3 verify_export.py audit.jsonl --proof audit.proof --key idp-audit.pub --anchor anchor.txt"))
            (more("What each word means", &html! {
                ul {
                    li { code { "audit.jsonl" } ": the entries; for a spreadsheet the name ends with " code { ".csv" } }
                    li { code { "--proof audit.proof" } ": the proof that came with them" }
                    li { code { "--key idp-audit.pub" } ": the public key; leave both words out if you have none" }
                    li { code { "--anchor anchor.txt" } ": the anchor; leave both words out if you have none, and repeat them if you "
                        "have several" }
                }
            }))
        }
    }
}

/// Something to type, on a line of its own, to be copied.
fn command(id: &str, text: &str) -> Markup {
    html! {
        p { code id=(id) { (text) } }
        p class="screen" { (copy_button(id, "Copy")) }
    }
}
