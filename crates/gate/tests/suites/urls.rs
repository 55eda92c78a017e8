//! The URL Standard: which paths its parser reads as another path than the one that was sent.
//!
//! The rows are the paths of the test data of web-platform-tests (`url/resources/urltestdata.json` and
//! the `pathname`s of `setters_tests.json`) that belong to a URL with the scheme of HTTP, FTP or
//! WebSocket. A relative path follows the directory of its base.

use gate::policy::is_ambiguous;
use serde::Deserialize;
use url::Url;

use crate::suites::{Case, Verdict, check};

/// A path, and what the parser makes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sent: String,
    resolved: String,
    /// Why the gate takes the path for ambiguous although the parser leaves it as it was sent.
    differs: Option<String>,
}

#[test]
fn a_path_that_the_url_standard_reads_as_another_is_ambiguous() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("urls.json")).unwrap();
    let case = |row: Row| Case {
        expected: Verdict::new(row.resolved == row.sent),
        found: Verdict::new(!is_ambiguous(row.sent.as_bytes())),
        differs: row.differs,
        name: row.sent,
    };
    let cases: Vec<Case> = rows.into_iter().map(case).collect();
    check("The URL Standard", 0, &cases);
}

/// Paths with what parsers treat in a special way.
const PATHS: &str =
    r"/(/|\.|\\|;|%|%2[eEfF5]|%5c|%00|%20|%[0-9a-f]{2}| |\t|:|@|[a-z]|é|[!-~]){0,12}";

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(1_000))]

    #[test]
    fn a_parser_of_the_url_standard_reads_an_unambiguous_path_as_it_was_sent(path in PATHS) {
        let path = path.replace(['?', '#'], "");
        if !is_ambiguous(path.as_bytes()) {
            let url = Url::parse(&format!("http://gate.example{path}")).unwrap();
            proptest::prop_assert_eq!(url.path(), path);
        }
    }
}
