//! Converts policies of a mesh, and asks the result about requests.

use std::fmt::Write as _;

use crate::support::{command, file, run};

/// What `convert` printed.
pub(crate) struct Conversion {
    pub(crate) status: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Conversion {
    /// Converts files.
    pub(crate) fn from_files(contents: &[&str], more: &[&str]) -> Self {
        let paths: Vec<_> = contents
            .iter()
            .map(|content| file("p.yaml", content))
            .collect();
        let mut arguments = vec!["convert"];
        arguments.extend(more);
        arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
        let output = command(&arguments).output().unwrap();
        Self {
            status: output.status.code().unwrap(),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Converts a file whose result the gate accepts.
    pub(crate) fn from_file(content: &str) -> Self {
        let converted = Self::from_files(&[content], &[]);
        assert_eq!(converted.status, 0, "{}", converted.errors);
        let result = file("result.yaml", &converted.output);
        let (status, printed) = run(&[result.to_str().unwrap()]);
        assert_eq!(status, 0, "{printed}\n{}", converted.output);
        converted
    }

    /// The documents of the result.
    pub(crate) fn documents(&self) -> Vec<serde_json::Value> {
        serde_saphyr::from_multiple(&self.output).unwrap()
    }

    /// The only document of this kind.
    pub(crate) fn document(&self, kind: &str) -> serde_json::Value {
        let documents = self.documents();
        let mut found = documents
            .into_iter()
            .filter(|document| document["kind"] == kind);
        let document = found
            .next()
            .unwrap_or_else(|| panic!("no {kind}: {}", self.output));
        assert!(found.next().is_none(), "{}", self.output);
        document
    }

    /// Whether there is a document of this kind.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.documents()
            .iter()
            .any(|document| document["kind"] == kind)
    }

    /// Whether each of these cases holds.
    pub(crate) fn tap(&self, cases: &str) -> Vec<bool> {
        let cases = file("cases.yaml", cases);
        let result = file("result.yaml", &self.output);
        let (status, printed) = run(&[
            "test",
            "--tap",
            cases.to_str().unwrap(),
            result.to_str().unwrap(),
        ]);
        assert!(status < 2, "{printed}\n{}", self.output);
        let results = printed.lines().filter_map(|line| {
            let is_result = line.starts_with("ok ") || line.starts_with("not ok ");
            is_result.then(|| line.starts_with("ok "))
        });
        results.collect()
    }

    /// Asserts what becomes of requests. Each line has method, path, token and what is expected: a status, and a
    /// reason for other statuses than 200. A token is `-` or claims of a good one.
    pub(crate) fn decides(&self, table: &str) {
        let mut cases = "cases:\n".to_owned();
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let [request, token, expected] = line.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let token = match token.trim() {
                "-" => String::new(),
                token if token.starts_with('{') => format!("  token: {token}\n"),
                kind => format!("  token: {{ kind: {kind} }}\n"),
            };
            let mut words = request.split_whitespace();
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            let host = words.next().unwrap_or("api.example");
            let mut expected = expected.split_whitespace();
            let status = expected.next().unwrap();
            let reason = expected.next().map(|reason| format!(", reason: {reason}"));
            writeln!(
                cases,
                "- name: '{}'\n  request: {{ method: {method}, path: '{path}', headers: {{ host: {host} }} }}\n{token}  \
                 expect: {{ status: {status}{} }}",
                line.replace('\'', ""),
                reason.unwrap_or_default()
            )
            .unwrap();
        }
        let cases = file("cases.yaml", cases);
        let result = file("result.yaml", &self.output);
        let (status, printed) = run(&["test", cases.to_str().unwrap(), result.to_str().unwrap()]);
        assert_eq!(status, 0, "{printed}\n{}", self.output);
    }
}
