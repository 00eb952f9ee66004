#!/usr/bin/env python3
"""Judges an export of idp's audit trail from files alone: a second program beside `idp audit verify`.

    verify_export.py EXPORT --proof FILE [--key FILE]... [--anchor FILE]...

EXPORT is what `idp audit export` wrote, the proof what it wrote with --proof. A key file holds the instance's public
key, one line. An anchor file is any text, such as a mail, in which checkpoints stand that were kept elsewhere.

The first line says the verdict, what it rests on and where; the second the filter and the range. Exit code 0 for
UNANCHORED and ANCHORED, 1 for INVALID, INCOMPLETE, DIVERGED and RESTORED, 2 for COULD NOT TELL.

Written from src/audit/{table,chain,export}.md and the lines atop src/audit/checkpoint.rs, sharing no line with the
program. Both files are read once, a line at a time. Needs Python 3.9 and the package `cryptography`.
"""
import argparse
import base64
import collections
import hashlib
import json
import os
import quopri
import re
import sys
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LINE_LIMIT = 1 << 20  # bytes of a line
DAY, LEAST_DAYS = 86_400_000_000, 400  # what is erased is so many days old
ANCHOR_LIMIT = 10_000  # the two keep memory bounded on any file
ZEROS = "0" * 64
KINDS = ("anonymous", "system", "host")
ALWAYS_KEPT = ("audit.checkpoint_signed", "audit.key_rotated", "audit.pruned", "backup.created", "system.clock_stepped",
               "system.initialised", "system.key_exported", "system.restored", "system.upgraded")
BODY_MEMBERS = ("actor_name", "detail", "reason", "source", "target_name", "ticket")
CSV_COLUMNS = ("seq,at,action,outcome,actor_kind,actor_id,actor_name,target_kind,target_id,target_name,case,reason,"
               "ticket,address,user_agent,request_id,os_user,detail,lineage,salt,body_digest,prev_hash,hash")
# Characters that could fake a line or reorder one on a screen: control and format characters, spelt out in exports.
DECEIVING = re.compile("[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
                       "\U000e0000-\U000e007f]")
CONTROL = re.compile("[\x00-\x1f]")  # in JSON these are escaped already
NOTE = re.compile(r"idp\.audit/([^\s+]+)\n([1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\nlineage ([0-9a-f]{16})\n"
                  r"time ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)\n\n"
                  r"((?:— [^\s+]+ [A-Za-z0-9+/]+=*\n){1,16})")


class Verdict(Exception):
    """The judgement: a word and a sentence. Raised as soon as nothing that follows could change it."""


def invalid(text):
    return Verdict("INVALID", text)


def untold(text):
    return Verdict("COULD NOT TELL", text)


# Texts: JSON as RFC 8785 writes it, times, base64

def no_constant(name):
    raise ValueError(name)


def canonical(value):
    """A value as RFC 8785 writes it, with no numbers but whole ones that every reader keeps exact."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if type(value) is float or type(value) is int and abs(value) >= 1 << 53:
        raise ValueError("not a whole number, or too large")
    return json.dumps(value, ensure_ascii=False)


def read_json(text):
    """The value of a text that is exactly what RFC 8785 writes for it; ValueError for any other."""
    try:
        value = json.loads(text, parse_constant=no_constant)
        if canonical(value) != text:
            raise ValueError("not written as RFC 8785 says")
    except (RecursionError, OverflowError):
        raise ValueError("nested too deeply, or a number too large") from None
    return value


def nanoseconds(text):
    """An RFC 3339 time as nanoseconds since 1970."""
    match = re.fullmatch(r"([0-9-]{10}T[0-9:]{8})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})", text)
    if not match:
        raise ValueError("not a time")
    moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
    seconds = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)
    if seconds > 253_402_207_200:  # 9999-12-30T22:00:00Z: what is later may be another year elsewhere, and nobody writes it
        raise ValueError("too late")
    return seconds * 10**9 + int((match[2] or "").ljust(9, "0"))


def rfc3339(micros):
    moment = datetime(1970, 1, 1) + timedelta(microseconds=micros)
    return moment.isoformat(timespec="microseconds") + "Z"


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not base64 as one writes it")
    return data


def spell_out(text, characters=DECEIVING):
    """Deceiving characters as \\uXXXX, those beyond U+FFFF as a pair."""
    return characters.sub(lambda m: re.sub("....", r"\\u\g<0>", m[0].encode("utf-16-be").hex()), text)


def hexadecimal(value, digits):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{%d}" % digits, value) is not None


class Lines:
    """The lines of a file, each with its line feed."""

    def __init__(self, path, what):
        self.file, self.what, self.number, self.hash = open(path, "rb"), what, 0, hashlib.sha256()

    def next(self):
        line = self.file.readline(LINE_LIMIT + 1)
        self.hash.update(line)
        self.number += 1
        if len(line) > LINE_LIMIT:
            raise invalid(f"{self.where()} is longer than 1 MiB")
        if line and not line.endswith(b"\n"):
            raise invalid(f"{self.where()} breaks off")
        return line or None

    def where(self):
        return f"line {self.number} of the {self.what}"


# Keys and checkpoints: C2SP signed notes

Checkpoint = collections.namedtuple("Checkpoint", "origin seq hash lineage time signed signatures")


def read_key(text):
    """A verifier key, `name+id+base64(1 || key)`, as name, id and key."""
    name, key_id, data = text.split("+", 2)
    data = unbase64(data)
    right_id = hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8]
    if len(data) != 33 or data[0] != 1 or key_id != right_id:
        raise ValueError("not an Ed25519 verifier key")
    return name, bytes.fromhex(key_id), data[1:]


def read_checkpoint(text):
    match = NOTE.fullmatch(text)
    if not match or re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text):
        raise ValueError("not a checkpoint")
    nanoseconds(match[5])
    signed = text[:text.index("\n\n") + 1].encode()
    lines = [line.split(" ") for line in match[6].splitlines()]
    signatures = [(name, unbase64(data)) for _, name, data in lines]
    return Checkpoint(match[1], int(match[2]), unbase64(match[3]).hex(), match[4], match[5], signed, signatures)


def signed_by(checkpoint, key):
    """True or False: signed by the key, rightly or wrongly. None: not a word of that key."""
    found = None
    for name, data in checkpoint.signatures:
        if (name, data[:4]) == key[:2]:
            try:
                Ed25519PublicKey.from_public_bytes(key[2]).verify(data[4:], checkpoint.signed)
                found = found is not False
            except (InvalidSignature, ValueError):
                found = False
    return found


def read_keys(paths):
    keys = []
    for path in paths:
        with open(path, "rb") as file:
            try:
                keys.append(read_key(file.read(4096).decode().strip()))
            except ValueError:
                raise untold(f"{path} does not hold a public key") from None
    return keys


def unquoted(file):
    """The lines of a mail that was saved as it came, with what is quoted printable undone (RFC 2045 section 6.7)."""
    begun, says = b"", False
    for raw in iter(lambda: file.readline(LINE_LIMIT), b""):
        says = says or re.match(rb"content-transfer-encoding:\s*quoted-printable", raw, re.IGNORECASE)
        begun += raw.rstrip()
        if begun.endswith(b"=") and len(begun) < LINE_LIMIT:
            begun = begun[:-1]
            continue
        for line in quopri.decodestring(begun).split(b"\n") if says else []:
            yield line + b"\n"
        begun = b""


def checkpoints_in(path):
    """Every checkpoint that stands in a text, also one that is quoted or indented."""
    for lines in (lambda file: iter(lambda: file.readline(LINE_LIMIT), b""), unquoted):
        with open(path, "rb") as file:
            yield from checkpoints_in_lines(lines(file))


def checkpoints_in_lines(lines):
    gathered = []
    while True:
        raw = next(lines, b"")
        line = re.sub(r"^[>|\s]*", "", raw[:4096].decode(errors="replace")).rstrip()
        begins = re.fullmatch(r"idp\.audit/[^\s+]+", line)
        if gathered and (begins or len(gathered) == 7 or not raw):
            yield "".join(gathered)
            gathered = []
        if not raw:
            return
        yield from checkpoints_in_line(raw.decode(errors="replace"))
        if begins or gathered:
            gathered.append(line + "\n")


def checkpoints_in_line(line):
    """Every checkpoint that stands in one line, as logs have them, its line feeds spelt out. Of what an entry says, which
    others had the word in, only the one that an entry about a checkpoint has."""
    entry = re.search(r'Z\\*",\\*"action\\*":\\*"([^"\\]*)', line)
    for begins in re.finditer("idp[.]audit/", line):
        within = entry and begins.start() > entry.start()
        if within and entry[1] != "audit.checkpoint_signed":
            return
        end = begins.start() + 4096 if within or not entry else entry.start()
        parts = re.split(r"(?:#012|\\+n)", line[begins.start():end], maxsplit=7)
        if len(parts) == 8:
            parts[6] = re.sub(r"^\\+u2014", "—", parts[6])
            text = "".join(part + "\n" for part in parts[:7])
            if re.search(r"[#\\]", text):
                continue
            yield text
            if within and NOTE.fullmatch(text):
                return


def read_anchors(paths, judged, origin, keys):
    """Anchors by the number of their entry."""
    anchors, count = collections.defaultdict(list), 0
    for path in paths:
        if any(os.path.samefile(path, other) for other in judged):
            raise untold(f"{path} is one of the files that are judged, and nothing vouches for itself")
        read = False
        for text in checkpoints_in(path):
            try:
                anchor = read_checkpoint(text)
            except ValueError:
                continue  # a mail may hold a wrapped copy beside a whole one
            read = True
            if anchor in anchors[anchor.seq]:
                continue
            if anchor.origin != origin:
                raise untold(f"{path} holds an anchor of another instance, {anchor.origin}")
            if any(signed_by(anchor, key) is False for key in keys):
                raise untold(f"the signature of the anchor to entry {anchor.seq} in {path} is wrong")
            count += 1
            if count > ANCHOR_LIMIT:
                raise untold(f"more than {ANCHOR_LIMIT} anchors")
            anchors[anchor.seq].append(anchor)
        if not read:
            raise untold(f"no whole checkpoint stands in {path}")
    return anchors


# The proof's lines

Row = collections.namedtuple("Row", "seq at action outcome actor target case digest salt body")


def read_header(proof):
    """The members of the first line, and the filter as a function."""
    try:
        head = read_json(proof.next().decode()[:-1])
        if not (set(head) == {"before", "export", "filter", "format", "from", "origin", "through"}
                and head["format"] == "idp-audit-proof-1" and head["export"] in ("jsonl", "csv")
                and type(head["from"]) is int and type(head["through"]) is int
                and re.fullmatch(r"[^\s+]+", head["origin"]) and hexadecimal(head["before"], 64)):
            raise ValueError("not a first line")
        return head, compile_filter(head["filter"])
    except (Verdict, AttributeError, ValueError, TypeError, OverflowError):
        raise untold("the proof does not begin as an idp-audit-proof-1") from None


def read_row(value):
    """A row, with the form of every place checked."""
    row = Row(*value, *[None] * (10 - len(value)))
    texts = (row.action, row.outcome, row.actor, row.target)
    if not (len(value) in (8, 10) and type(row.seq) is int and 0 < row.seq < 1 << 63 and type(row.at) is int
            and all(isinstance(text, str) for text in texts) and row.action
            and row.outcome in ("success", "failure", "denied")
            and (row.actor in KINDS or re.match("(?s)person:.", row.actor))
            and (row.target == "system" or re.match("(?s)person:.", row.target))
            and (row.case is None or isinstance(row.case, str)) and hexadecimal(row.digest, 64)
            and (len(value) == 8 or hexadecimal(row.salt, 32) and isinstance(row.body, str))):
        raise ValueError("not a row")
    rfc3339(row.at)
    return row


def field(data):
    return b"\xff\xff\xff\xff" if data is None else len(data).to_bytes(4, "big") + data


def person(who):
    """Kind and id of an actor or a target; the id is None unless it is a person."""
    kind, colon, who_id = who.partition(":")
    return kind, who_id if colon else None


def entry_hash(row, lineage, before):
    fields = [b"idp audit entry v1", bytes.fromhex(before), lineage.encode(), row.seq.to_bytes(8, "big"),
              row.at.to_bytes(8, "big", signed=True), row.action.encode(), row.outcome.encode()]
    for text in (*person(row.actor), *person(row.target), row.case):
        fields.append(None if text is None else text.encode())
    return hashlib.sha256(b"".join(map(field, [*fields, bytes.fromhex(row.digest)]))).hexdigest()


def read_body(row, salt, body):
    """The members of a body that is the one the entry was written with; ValueError for any other."""
    parts = [b"idp audit body v1", bytes.fromhex(salt), body.encode()]
    if hashlib.sha256(b"".join(map(field, parts))).hexdigest() != row.digest:
        raise ValueError("the body is not the one it was written with")
    members = read_json(body)
    kinds = {"detail": (str, bool, int), "source": (str,)}
    for name, value in members.items() if isinstance(members, dict) else [(None, None)]:
        if name in kinds and isinstance(value, dict):
            fits = all(key.isascii() and isinstance(one, kinds[name]) for key, one in value.items())
        else:
            fits = name in BODY_MEMBERS and name not in kinds and isinstance(value, str)
        if not fits:
            raise ValueError("the body has members that no entry has")
    return members


def compile_filter(text):
    """A function that says whether a row matches."""
    if text == "everything":
        return lambda row: True
    tests = []
    for word in text.split(" "):
        name, equals, value = word.partition("=")
        if name not in ("action", "outcome", "case", "user", "actor", "involving", "since", "until") or not equals:
            raise ValueError("a word that no filter has")
        if name in ("since", "until"):
            moment = nanoseconds(value)
            if rfc3339(moment // 1000) != value:
                raise ValueError("not a time as an entry has it")
            value = moment
        tests.append((name, value))

    def matches(row):
        actor, target = person(row.actor)[1], person(row.target)[1]
        return all({
            "action": lambda: row.action == value,
            "outcome": lambda: row.outcome == value,
            "case": lambda: row.case == value,
            "user": lambda: target == value,
            "actor": lambda: (row.actor if value in KINDS else actor) == value,
            "involving": lambda: value in (actor, target),
            "since": lambda: value <= row.at * 1000,
            "until": lambda: row.at * 1000 < value,
        }[name]() for name, value in tests)
    return matches


# The export's lines

def check_json_line(text, row, lineage, before, hash_):
    """Takes the body out of a line of JSON and compares everything around it with the row. Whether there is none."""
    def unescape(match):
        return chr(int(match[1], 16)) if match[1] and int(match[1], 16) > 0x7e else match[0]

    plain = re.sub(r"\\(?:u([0-9a-f]{4})|.)", unescape, text).encode("utf-16", "surrogatepass").decode("utf-16")
    if spell_out(plain) != text:
        raise ValueError("its characters are not written as an export writes them")
    head = {"lineage": lineage, "seq": row.seq, "at": rfc3339(row.at), "action": row.action, "outcome": row.outcome}
    for name, (kind, who_id) in (("actor", person(row.actor)), ("target", person(row.target))):
        head[name] = {"kind": kind} if who_id is None else {"kind": kind, "id": who_id}
    if row.case is not None:
        head["case"] = row.case
    short = {r"\b": r"\u0008", r"\t": r"\u0009", r"\n": r"\u000a", r"\f": r"\u000c", r"\r": r"\u000d"}
    start = re.sub(r"\\.", lambda m: short.get(m[0], m[0]), json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1])
    end = f',"body_digest":"{row.digest}","prev_hash":"{before}","hash":"{hash_}"}}\n'
    if not plain.startswith(start):
        raise ValueError("its header is not that of the table")
    if not plain.endswith(end):
        raise ValueError("its digest or hashes are not those of the table")
    middle = plain[len(start):-len(end)]
    if middle == ',"erased":true':
        return True
    match = re.fullmatch(r'(?:,(.*))?,"salt":"([0-9a-f]{32})"', middle, re.DOTALL)
    if not match:
        raise ValueError("it is not a line of an export")
    read_body(row, match[2], "{" + (match[1] or "") + "}")
    return False


def csv_line(row, lineage, before, hash_):
    """The line for a row, made again from its body if it has one."""
    body = {} if row.body is None else read_body(row, row.salt, row.body)
    source = body.get("source")
    source = source if isinstance(source, dict) else {}
    detail = canonical(body["detail"]) if "detail" in body else "erased" if row.body is None else None
    cells = [str(row.seq), rfc3339(row.at), row.action, row.outcome, *person(row.actor), body.get("actor_name"),
             *person(row.target), body.get("target_name"), row.case, body.get("reason"), body.get("ticket"),
             source.get("address"), source.get("user_agent"), source.get("request_id"), source.get("os_user"), detail,
             lineage, row.salt, row.digest, before, hash_]
    return ",".join(map(csv_cell, cells)) + "\r\n"


def csv_cell(value):
    if not isinstance(value, str):
        return ""
    cell = ("'" if value[:1] in tuple("=+-@\t\r\n") else "") + spell_out(spell_out(value, CONTROL))
    return '"' + cell.replace('"', '""') + '"' if re.search('[",]', cell) else cell


class Export:
    """The export, compared with the rows that match, one after the other."""

    def __init__(self, path, kind):
        self.lines, self.kind, self.count, self.missing = Lines(path, "export"), kind, 0, None
        self.erased = 0  # the last entry that is here without its body
        self.line = self.lines.next()
        if kind == "csv":
            if self.line is None:
                raise Verdict("INCOMPLETE", "the export is empty")
            if self.line != CSV_COLUMNS.encode() + b"\r\n":
                raise invalid("line 1 of the export does not name the columns")
            self.line = self.lines.next()

    def seq(self):
        """The number of the entry that the line at hand says it is."""
        pattern = rb'\{"lineage":"[0-9a-f]{16}","seq":([1-9][0-9]{0,18}),' if self.kind == "jsonl" else \
            rb"([1-9][0-9]{0,18}),"
        match = re.match(pattern, self.line)
        if not match:
            raise invalid(f"{self.lines.where()} is not a line of such an export")
        return int(match[1])

    def compare(self, row, lineage, before, hash_):
        self.count += 1
        if self.line is None or self.seq() > row.seq:
            self.missing = self.missing or row.seq
            return
        where = f"{self.lines.where()}: entry {self.seq()}"
        if self.seq() < row.seq:
            raise invalid(f"{where} stands where no entry with that number is due")
        try:
            text = self.line.decode()
            erased = row.body is None
            if self.kind == "jsonl":
                erased = check_json_line(text, row, lineage, before, hash_)
            elif text != csv_line(row, lineage, before, hash_):
                raise ValueError("it is not what the entry's row gives")
            if erased and row.action in ALWAYS_KEPT:
                raise ValueError(f"it has no body, and what a {row.action} says is never erased")
            if erased:
                self.erased = row.seq
        except ValueError as error:
            raise invalid(f"{where}: {error}") from None
        self.line = self.lines.next()


# The judgement

class Judge:
    def __init__(self, arguments):
        self.scope = "filter: unknown; range: unknown"
        self.arguments = arguments

    def judge(self):
        arguments = self.arguments
        self.proof = Lines(arguments.proof, "proof")
        self.head, self.matches = read_header(self.proof)
        self.scope = ("filter: {filter}; range: entries {from} to {through} of instance {origin}; format: {export}"
                      .format(**self.head))
        self.keys = read_keys(arguments.key)
        self.anchors = read_anchors(arguments.anchor, (arguments.export, arguments.proof), self.head["origin"], self.keys)
        if not 1 <= self.head["from"] <= self.head["through"] + 1:
            raise invalid("line 1 of the proof: its range is none")
        if (self.head["before"] == ZEROS) != (self.head["from"] == 1):
            raise invalid("line 1 of the proof: only the first entry of all has zeros before it")
        self.export = Export(arguments.export, self.head["export"])
        self.agreed = self.diverged = self.restored = None
        self.rotation = None  # the newest change of the key: its entry, the new key
        self.own = False  # the entry of the export was seen
        self.pruned = None  # up to which entry bodies are recorded as erased
        self.days = collections.deque()  # of the last 400 days, the last entry of each
        self.aged = self.head["from"] - 1  # the last entry that is older
        self.last, self.hash = None, self.head["before"]
        self.lineage, self.by_restore = None, False
        self.compare_anchors(self.head["from"] - 1)
        end = self.walk()
        if end is not None:
            self.check_end(end)
        return self.conclude(end is None)

    def compare_anchors(self, seq):
        for anchor in self.anchors.pop(seq, []):
            if anchor.hash == self.hash:
                self.agreed = anchor
            elif self.by_restore and anchor.lineage != self.lineage:
                self.restored = self.restored or anchor
            else:
                self.diverged = self.diverged or anchor

    def walk(self):
        """Walks the table. The value of the last line, or None where the proof breaks off."""
        begins = False
        while True:
            line = self.proof.next()
            if line is None:
                return None
            try:
                value = read_json(line.decode()[:-1])
                if isinstance(value, dict):
                    if begins:
                        raise ValueError("a lineage without a row")
                    return value
                if value[0] == "lineage":
                    if begins or len(value) != 2 or not hexadecimal(value[1], 16) or value[1] == self.lineage:
                        raise ValueError("not a lineage")
                    self.lineage, begins = value[1], True
                    continue
                row = read_row(value)
            except (ValueError, TypeError, LookupError, OverflowError):
                raise invalid(f"{self.proof.where()} is not as a proof is written") from None
            self.enter(row, begins)
            begins = False

    def enter(self, row, begins):
        """Takes in one row of the table."""
        where = f"{self.proof.where()}: entry {row.seq}"
        first = self.last is None
        if row.seq != (self.head["from"] if first else self.last.seq + 1):
            raise invalid(f"{where} does not follow the one before")
        if not first and row.at < self.last.at:
            raise invalid(f"{where} is earlier than the one before")
        if first and not begins:
            raise invalid(f"{where} has no lineage")
        if begins:
            self.by_restore = row.action == "system.restored"
            known = row.action == "system.initialised" if row.seq == 1 else first or self.by_restore
            if not known:
                raise invalid(f"{where} begins a lineage as a {row.action}")
        before, self.hash, self.last = self.hash, entry_hash(row, self.lineage, self.hash), row

        own = row.seq == self.head["through"] + 1
        due = row.seq <= self.head["through"] and self.matches(row)
        needs_body = own or row.action in ("audit.key_rotated", "audit.pruned")
        if row.body is None and needs_body:
            raise invalid(f"{where} lacks its body")
        if row.body is not None and not (needs_body or due and self.head["export"] == "csv"):
            raise invalid(f"{where} has a body too many")
        self.grow_older(row)
        if row.body is not None:
            try:
                detail = read_body(row, row.salt, row.body).get("detail")
                if row.action == "audit.key_rotated":
                    self.rotation = row.seq, read_key(detail["new"])
                if row.action == "audit.pruned":
                    self.record_erasure(row, *(detail[name] for name in ("first", "through", "days")))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise invalid(f"{where}: {error}") from None
        if own:
            self.own = True
            says = {"entries_up_to": self.head["through"], "filter": self.head["filter"],
                    "format": self.head["export"]}
            if row.action != "audit.exported" or not isinstance(detail, dict) or any(
                    detail.get(name) != value for name, value in says.items()):
                raise invalid(f"{where} does not record an export with this filter, format and range")
        self.compare_anchors(row.seq)
        if not due and self.export.line is not None and self.export.seq() <= row.seq:
            raise invalid(f"{self.export.lines.where()}: entry {self.export.seq()} is not one that matches the filter")
        if due:
            self.export.compare(row, self.lineage, before, self.hash)

    def grow_older(self, row):
        """Lets go of days that are 400 days before that of the row."""
        day = row.at // DAY
        if self.days and self.days[-1][0] == day:
            self.days.pop()
        self.days.append((day, row.seq))
        while self.days[0][0] <= day - LEAST_DAYS:
            self.aged = self.days.popleft()[1]

    def record_erasure(self, row, first, through, days):
        if any(type(value) is not int for value in (first, through, days)):
            raise ValueError("it records that bodies were erased, and not which")
        anywhere = self.pruned is None and self.head["from"] > 1
        if first < 1 or not anywhere and first != (self.pruned or 0) + 1 or through < first:
            raise ValueError("it does not go on where the erasure before it ended")
        if through > max(self.aged, self.head["from"] - 1):
            raise ValueError("it records that bodies were erased that were not 400 days old")
        self.pruned = through

    def check_end(self, end):
        where = self.proof.where()
        try:
            if not (set(end) == {"checkpoint", "entries", "sha256"} and type(end["entries"]) is int
                    and end["entries"] >= 0 and hexadecimal(end["sha256"], 64)):
                raise ValueError("not a last line")
            checkpoint = read_checkpoint(end["checkpoint"])
        except (ValueError, TypeError):
            raise invalid(f"{where} is not as a proof ends") from None
        if self.proof.next() is not None:
            raise invalid(f"{self.proof.where()} follows the last one")
        if not self.own:
            raise invalid(f"{where}: the table ends before entry {self.head['through'] + 1}, which is of the export")
        if (checkpoint.origin, checkpoint.seq, checkpoint.hash, checkpoint.lineage) != (
                self.head["origin"], self.last.seq, self.hash, self.lineage):
            raise invalid(f"the chain does not lead to the checkpoint of entry {checkpoint.seq}")
        self.check_signature(checkpoint)
        self.end = end

    def check_signature(self, checkpoint):
        """The key that counts is the one that the newest change names, where the caller or an anchor vouches for it."""
        if not self.keys:
            return
        keys = self.keys
        if self.rotation and self.agreed and self.rotation[0] <= self.agreed.seq:
            keys = keys + [self.rotation[1]]
        says = [(key, signed_by(checkpoint, key)) for key in keys]
        by = [key for key, signed in says if signed]
        if any(signed is False for _, signed in says):
            raise invalid(f"the signature under the checkpoint of entry {checkpoint.seq} is wrong")
        if not by or self.rotation and any(key != self.rotation[1] for key in by):
            raise invalid(f"the checkpoint of entry {checkpoint.seq} is not signed by a key that counts")

    def conclude(self, breaks_off):
        last = self.last.seq if self.last else self.head["from"] - 1
        early = [anchor.seq for seq in self.anchors if seq <= last for anchor in self.anchors[seq]]
        later = [anchor for seq in sorted(self.anchors) if seq > last for anchor in self.anchors[seq]]
        for anchor in later:
            if self.by_restore and anchor.lineage != self.lineage and not breaks_off:
                self.restored = self.restored or anchor
        if self.diverged:
            return "DIVERGED", f"the anchor to entry {self.diverged.seq} of {self.diverged.time} has another hash"
        if self.restored:
            return "RESTORED", (f"the anchor to entry {self.restored.seq} is of lineage {self.restored.lineage}, which "
                                f"a restore replaced by {self.lineage}")
        if breaks_off:
            return "INCOMPLETE", f"the proof breaks off after entry {last}, line {self.proof.number}"
        if later:
            return "INCOMPLETE", f"the table ends at entry {last}, before the anchor to entry {later[0].seq}"
        if self.export.erased > (self.pruned or 0):
            return "INVALID", f"entry {self.export.erased} has lost its body, and nothing records that it was erased"
        if self.export.line is not None:
            raise invalid(f"{self.export.lines.where()}: entry {self.export.seq()} is not one that matches the filter")
        if self.end["entries"] != self.export.count:
            raise invalid(f"the last line counts {self.end['entries']} entries, but {self.export.count} match the filter")
        if not self.export.missing and self.export.lines.hash.hexdigest() != self.end["sha256"]:
            raise invalid("the export's bytes are not those that the proof was written with")
        if self.export.missing:
            return "INCOMPLETE", f"entry {self.export.missing} matches the filter and is not in the export"
        if self.agreed:
            return f"ANCHORED to entry {self.agreed.seq} at {self.agreed.time}", (
                f"{self.export.count} entries are genuine and none is missing; entries after {self.agreed.seq} rest on "
                "the host alone")
        note = f"; the anchor to entry {early[0]} is older than the table" if early else ""
        return "UNANCHORED", f"{self.export.count} entries are genuine and none is missing, by the host's word{note}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", metavar="EXPORT")
    parser.add_argument("--proof", metavar="FILE", required=True)
    parser.add_argument("--key", metavar="FILE", action="append", default=[])
    parser.add_argument("--anchor", metavar="FILE", action="append", default=[])
    judge = Judge(parser.parse_args())
    try:
        word, text = judge.judge()
    except Verdict as verdict:
        word, text = verdict.args
    except OSError as error:
        word, text = "COULD NOT TELL", f"{error.filename}: {error.strerror}"
    for line in (f"{word}: {text}", judge.scope):
        shown = "".join(c if c.isprintable() else "\\u%04x" % ord(c) for c in line[:2000])
        print(shown.encode("ascii", "backslashreplace").decode() if sys.stdout.encoding == "ascii" else shown)
    if word.startswith(("UNANCHORED", "ANCHORED")):
        return 0
    return 2 if word == "COULD NOT TELL" else 1


if __name__ == "__main__":
    sys.exit(main())
