//! The cases of a file.

use std::path::PathBuf;

use gate::reason::ReasonKind;
use serde_json::{Map, Value};

use crate::config_file::ConfigFile;
use crate::mint::kind::Kind;
use crate::source_tree::{self, Node, Shape, line_and_column};

/// A request, and what the gate should do with it.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Where the case is: line and column, both from 1.
    pub(crate) place: (usize, usize),
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) token: CaseToken,
    /// Where the token is in the file.
    pub(crate) token_place: (usize, usize),
    /// The status of the answer; 200 if the request passes.
    pub(crate) status: u16,
    /// The name of the reason in metrics.
    pub(crate) reason: Option<String>,
    /// Headers that the upstream gets; `None` is one that it does not get.
    pub(crate) upstream: Vec<(String, Option<String>)>,
}

/// The token of a case.
pub(crate) enum CaseToken {
    None,
    /// From a file, whose name is relative to that of the cases.
    File(PathBuf),
    Minted {
        kind: Kind,
        /// The name of the provider, if there may be several.
        provider: Option<String>,
        claims: Map<String, Value>,
    },
}

/// Reads the cases in `text`, the content of the file `name`.
///
/// # Errors
///
/// Every mistake, one line for each, with its place.
pub(crate) fn read(name: &str, text: &str) -> Result<Vec<Case>, String> {
    let documents = source_tree::parse(text).map_err(|error| {
        let (line, column) = line_and_column(text, error.position);
        format!("{name}:{line}:{column}: {}", error.text)
    })?;
    // A repeated name of a member.
    ConfigFile::parse(text.as_bytes()).map_err(|error| error.in_file(name))?;
    let mut reader = Reader {
        name,
        text,
        problems: Vec::new(),
    };
    let mut cases: Vec<Case> = Vec::new();
    match documents.as_slice() {
        [document] => {
            reader.check_members(document, &["cases"]);
            let list = document.get("cases").filter(|cases| cases.is_list());
            if list.is_none_or(Node::is_empty) {
                reader.problem(document, "`cases` must be a list of cases");
            }
            for node in list.map(Node::items).unwrap_or_default() {
                let case = reader.case(node);
                let mut known = cases.iter();
                if let Some(first) = known.find(|known| known.name == case.name) {
                    let (case_name, line) = (&case.name, first.place.0);
                    let at = node.get("name").unwrap_or(node);
                    let text = format!("the name {case_name:?} is that of the case in line {line}");
                    reader.problem(at, &text);
                }
                cases.push(case);
            }
        }
        _ => reader
            .problems
            .push(format!("{name}:1:1: must be one document with `cases`")),
    }
    if reader.problems.is_empty() {
        Ok(cases)
    } else {
        Err(reader.problems.join("\n"))
    }
}

struct Reader<'t> {
    name: &'t str,
    text: &'t str,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn place(&self, node: &Node) -> (usize, usize) {
        line_and_column(self.text, node.range.start)
    }

    fn problem(&mut self, node: &Node, problem: &str) {
        self.problem_at(node.range.start, problem);
    }

    fn problem_at(&mut self, position: usize, problem: &str) {
        let (line, column) = line_and_column(self.text, position);
        self.problems
            .push(format!("{}:{line}:{column}: {problem}", self.name));
    }

    /// Reports members that are not known, and a value that is no object.
    fn check_members(&mut self, node: &Node, known: &[&str]) {
        if !node.is_map() {
            let problem = format!("must be an object with {}", known.join(", "));
            self.problem(node, &problem);
        }
        for entry in node.entries() {
            if !known.contains(&entry.key.as_str()) {
                let problem = unknown("member", &entry.key, known.iter().copied());
                self.problem_at(entry.key_range.start, &problem);
            }
        }
    }

    /// The text of a member, if there is one.
    fn text_of(&mut self, node: &Node, member: &str) -> Option<String> {
        let value = node.get(member)?;
        let text = value.text().map(str::to_owned);
        if text.is_none() {
            self.problem(value, &format!("`{member}` must be a string"));
        }
        text
    }

    fn case(&mut self, node: &Node) -> Case {
        self.check_members(node, &["name", "request", "token", "expect"]);
        let name = self.text_of(node, "name").unwrap_or_default();
        if node.is_map() && name.is_empty() {
            self.problem(node, "the case has no `name`");
        }
        let request = node.get("request");
        if let Some(request) = request {
            self.check_members(request, &["method", "path", "headers"]);
        }
        let headers = request.and_then(|request| request.get("headers"));
        let headers = headers
            .map(|headers| self.headers(headers))
            .unwrap_or_default();
        let token = node.get("token");
        let expect = node.get("expect");
        if let Some(expect) = expect {
            self.check_members(expect, &["status", "reason", "headers"]);
        }
        let upstream = expect.and_then(|expect| expect.get("headers"));
        Case {
            place: self.place(node),
            method: request.and_then(|request| self.text_of(request, "method")),
            path: request.and_then(|request| self.text_of(request, "path")),
            headers: headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            token: token.map_or(CaseToken::None, |token| self.token(token)),
            token_place: self.place(token.unwrap_or(node)),
            status: self.status(node, expect),
            reason: expect.and_then(|expect| self.reason(expect)),
            upstream: upstream
                .map(|headers| self.headers(headers))
                .unwrap_or_default(),
            name,
        }
    }

    /// Headers by name; `None` for one that is null.
    fn headers(&mut self, node: &Node) -> Vec<(String, Option<String>)> {
        if !node.is_map() {
            self.problem(node, "`headers` must be an object of names and values");
        }
        let mut headers = Vec::new();
        for entry in node.entries() {
            let value = entry.value.text().map(str::to_owned);
            if value.is_none() && !entry.value.is_null() {
                self.problem(&entry.value, "the value of a header must be a string");
            }
            let name = match entry.key.to_ascii_lowercase().as_str() {
                "host" => ":authority".to_owned(),
                name => name.to_owned(),
            };
            headers.push((name, value));
        }
        headers
    }

    fn token(&mut self, node: &Node) -> CaseToken {
        if let Shape::Scalar { text, .. } = &node.shape {
            return self.minted(node, text, None, Map::new());
        }
        self.check_members(node, &["kind", "provider", "claims", "file"]);
        let provider = self.text_of(node, "provider");
        let kind = self.text_of(node, "kind");
        let claims = match node.get("claims").map(Node::to_json) {
            None => Map::new(),
            Some(Value::Object(claims)) => claims,
            Some(_) => {
                self.problem(node, "`claims` must be an object");
                Map::new()
            }
        };
        match (kind, self.text_of(node, "file")) {
            (Some(kind), None) => {
                let at = node.get("kind").unwrap_or(node);
                self.minted(at, &kind, provider, claims)
            }
            (None, Some(file)) if provider.is_none() && claims.is_empty() => {
                CaseToken::File(file.into())
            }
            _ => {
                self.problem(
                    node,
                    "a token has either a `kind`, with `provider` and `claims`, or a `file`",
                );
                CaseToken::None
            }
        }
    }

    fn minted(
        &mut self,
        node: &Node,
        name: &str,
        provider: Option<String>,
        claims: Map<String, Value>,
    ) -> CaseToken {
        let Some(kind) = Kind::from_name(name) else {
            let known = Kind::ALL.iter().map(|(_, name, _)| *name);
            self.problem(node, &unknown("kind of token", name, known));
            return CaseToken::None;
        };
        CaseToken::Minted {
            kind,
            provider,
            claims,
        }
    }

    fn status(&mut self, case: &Node, expect: Option<&Node>) -> u16 {
        let status = expect.and_then(|expect| expect.get("status"));
        let number = status
            .and_then(Node::text)
            .and_then(|text| text.parse().ok());
        if number.is_none() && case.is_map() {
            let at = status.or(expect).unwrap_or(case);
            self.problem(
                at,
                "`expect.status` must be a number: 200 if the request passes",
            );
        }
        number.unwrap_or_default()
    }

    fn reason(&mut self, expect: &Node) -> Option<String> {
        let reason = self.text_of(expect, "reason")?;
        let mut known = ReasonKind::ALL.iter().map(|kind| kind.metric());
        if !known.clone().any(|known| known == reason) {
            let at = expect.get("reason").unwrap_or(expect);
            self.problem(at, &unknown("reason", &reason, known.by_ref()));
        }
        Some(reason)
    }
}

/// Says that a name is not known, and which was probably meant.
fn unknown<'k>(what: &str, given: &str, known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.collect();
    let distance = |name: &&str| strsim::damerau_levenshtein(given, name);
    let closest = known
        .iter()
        .copied()
        .min_by_key(distance)
        .unwrap_or_default();
    if distance(&closest) <= closest.len().div_ceil(3) {
        format!("unknown {what} {given:?}: did you mean {closest}?")
    } else {
        format!(
            "unknown {what} {given:?}: it is not one of {}",
            known.join(", ")
        )
    }
}
