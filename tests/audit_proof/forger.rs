//! Who writes a whole export with its proof anew: every hash fits, only the signature may not be had.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use idp::audit::checkpoint::{Checkpoint, Point, origin_line};
use idp::audit::export::push_json_line;
use idp::audit::note::VerifierKey;
use idp::audit::table::{Between, Preamble, Row, Seal, push_lineage, push_row};
use idp::audit::{Line, chain};
use idp::host::keys::{AuditSigningKey, load_audit};
use serde_json::{Map, Value};

use super::{Exported, Trail};

pub struct Forger {
    pub about: Preamble,
    pub rows: Vec<Row>,
    /// Salt and body of what is exported; what is not here is exported as erased.
    pub bodies: BTreeMap<i64, ([u8; 16], String)>,
}

impl Forger {
    pub fn of(exported: &Exported) -> Self {
        let mut lines = exported.proof.lines();
        let about = Preamble::parse(lines.next().unwrap()).unwrap();
        let (mut rows, mut lineage) = (Vec::new(), String::new());
        for line in lines.take_while(|line| line.starts_with('[')) {
            match Between::parse(line, &lineage).unwrap() {
                Between::Lineage(next) => lineage = next,
                Between::Row(row) => rows.push(*row),
            }
        }
        Self { about, rows, bodies: exported.export.lines().filter_map(body).collect() }
    }

    /// Drops an entry from the trail; those after it move up.
    pub fn drop_entry(&mut self, seq: i64) {
        self.rows.retain(|row| row.header.seq != seq);
        self.bodies.remove(&seq);
        self.bodies = std::mem::take(&mut self.bodies).into_iter().map(|(n, b)| (n - i64::from(n > seq), b)).collect();
        for row in &mut self.rows {
            row.header.seq -= i64::from(row.header.seq > seq);
        }
        self.about.through -= 1;
        self.tell_range();
    }

    /// Lets the export's own entry say what the first line says.
    pub fn tell_range(&mut self) {
        let (filter, format) = (self.about.filter.to_string(), self.about.export.as_str());
        let through = self.about.through;
        let row = self.rows.iter_mut().find(|row| row.header.seq == through + 1).unwrap();
        let body = format!(
            r#"{{"detail":{{"entries_up_to":{through},"filter":"{filter}","format":"{format}"}},"source":{{"os_user":"x"}}}}"#
        );
        row.body_digest = chain::body_digest(&[1; 16], &body);
        row.body = Some(([1; 16], body));
    }

    /// Other words in an exported entry.
    pub fn reword(&mut self, seq: i64, from: &str, to: &str) {
        let (salt, body) = self.bodies.get_mut(&seq).unwrap();
        *body = body.replace(from, to);
        let digest = chain::body_digest(salt, body);
        self.rows.iter_mut().find(|row| row.header.seq == seq).unwrap().body_digest = digest;
    }

    /// Both files, with a checkpoint that this key signs.
    pub fn write(&self, key: &AuditSigningKey) -> Exported {
        let (mut export, mut proof, mut entries) = (String::new(), String::new(), 0);
        self.about.push(&mut proof);
        let (mut hash, mut lineage) = (self.about.before, String::new());
        for row in &self.rows {
            let prev = hash;
            hash = chain::entry_hash(&prev, &row.header, &row.body_digest);
            let line = row.line(&prev, &hash);
            if line.header.lineage != lineage {
                line.header.lineage.clone_into(&mut lineage);
                push_lineage(&mut proof, &lineage);
            }
            push_row(&mut proof, &line, true);
            if row.header.seq <= self.about.through && self.about.filter.matches(&row.header) {
                let (salt, body) = self.bodies.get(&row.header.seq).map(|(salt, body)| (&salt[..], &body[..])).unzip();
                push_json_line(&mut export, &Line { salt, body, ..line });
                entries += 1;
            }
        }
        let last = &self.rows.last().unwrap().header;
        let point = Point { origin: self.about.origin.clone(), lineage, seq: last.seq, hash, at: last.at };
        let signer = VerifierKey::new(&origin_line(&point.origin), key.public()).unwrap();
        let checkpoint = Checkpoint::sign(point, &signer, |text| key.sign(text));
        let sha256 = digest(&SHA256, export.as_bytes()).as_ref().try_into().unwrap();
        Seal { checkpoint, entries, sha256 }.push(&mut proof);
        Exported { export, proof }
    }
}

/// The instance's own key: for who has taken the host.
pub fn stolen_key(trail: &Trail) -> AuditSigningKey {
    load_audit(&trail.folder.data()).unwrap()
}

pub fn body(line: &str) -> Option<(i64, ([u8; 16], String))> {
    let line: Map<String, Value> = serde_json::from_str(line).unwrap();
    let salt = HEXLOWER.decode(line.get("salt")?.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap();
    let own = ["actor_name", "detail", "reason", "source", "target_name", "ticket"];
    let body: Map<String, Value> =
        line.iter().filter(|(k, _)| own.contains(&k.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
    Some((line["seq"].as_i64().unwrap(), (salt, Value::Object(body).to_string())))
}
