//! Requests without tokens: one for each rule and route, and near misses.

use gate::policy::is_ambiguous;
use serde_json::Value;

use super::chain::Chain;
use super::header_list::HeaderList;
use super::native::envoy_matchers::RouteMatch;
use super::native::fields::{get, list, text, texts};
use super::pair::Pair;
use super::regex_sample;

/// A request without a token.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) headers: HeaderList,
    /// Whether it is only similar to one that a rule or a route is for.
    pub(crate) is_near_miss: bool,
    /// Whether tokens of every kind are tried.
    pub(crate) has_all_kinds: bool,
}

/// The authority where nothing else is said.
const AUTHORITY: &str = "api.example";

/// For so many rules and routes near misses and every kind of token are tried.
const MOST_THOROUGH: usize = 50;

/// A path for which there is most likely neither a rule nor a route.
const ELSEWHERE: &str = "/no-such-path";

/// The requests for a chain. The number is that of rules and routes for which no request is known.
pub(crate) fn all(chain: &Chain, pair: &Pair) -> (Vec<Target>, usize) {
    let mut targets = Targets {
        list: Vec::new(),
        without_request: 0,
    };
    let first_host = hosts(chain).next();
    let authority = first_host.map_or_else(|| AUTHORITY.to_owned(), |(authority, _)| authority);
    for filter in &pair.native {
        for rule in &filter.rules {
            targets.add_match(&authority, &rule.matching.json);
        }
    }
    for (authority, host) in hosts(chain) {
        for route in list(host, "routes") {
            targets.add_match(&authority, get(route, "match").unwrap_or(route));
        }
    }
    for path in ["/", ELSEWHERE] {
        targets.add(HeaderList(request("GET", &authority, path)), false);
    }
    let base: Vec<HeaderList> = targets.list.iter().map(|one| one.headers.clone()).collect();
    for headers in base.into_iter().take(MOST_THOROUGH) {
        for path in near_misses(headers.get(":path")) {
            let is_rewritten = (chain.merges_slashes && path.contains("//"))
                || (chain.normalizes_paths && is_ambiguous(path.as_bytes()) && !path.contains(';'));
            if !is_rewritten {
                let mut similar = headers.clone();
                similar.set(":path", &path);
                targets.add(similar, true);
            }
        }
    }
    (targets.list, targets.without_request)
}

/// An authority of each virtual host.
fn hosts(chain: &Chain) -> impl Iterator<Item = (String, &Value)> {
    let hosts = chain
        .routes
        .iter()
        .flat_map(|routes| list(routes, "virtual_hosts"));
    hosts.map(|host| {
        let domains = texts(host, "domains");
        let authority = match domains.first().map(String::as_str) {
            None | Some("*") => AUTHORITY.to_owned(),
            Some(domain) => match domain.strip_suffix(":*") {
                Some(name) => format!("{}:80", name.replace('*', "www")),
                None => domain.replace('*', "www"),
            },
        };
        (authority, host)
    })
}

struct Targets {
    list: Vec<Target>,
    without_request: usize,
}

impl Targets {
    fn add(&mut self, headers: HeaderList, is_near_miss: bool) {
        if !self.list.iter().any(|known| known.headers == headers) {
            let is_thorough = self.list.len() < MOST_THOROUGH;
            self.list.push(Target {
                headers,
                is_near_miss,
                has_all_kinds: is_thorough && !is_near_miss,
            });
        }
    }

    /// Adds a request that a `RouteMatch` matches.
    fn add_match(&mut self, authority: &str, matching: &Value) {
        let found = sample(authority, matching);
        let matches = |headers: &HeaderList| {
            RouteMatch::parse(matching).is_ok_and(|one| one.matches(&headers.request()))
        };
        match found.filter(matches) {
            Some(headers) => self.add(headers, false),
            None => self.without_request = self.without_request.saturating_add(1),
        }
    }
}

/// A request for a match, if it is not too unusual.
fn sample(authority: &str, matching: &Value) -> Option<HeaderList> {
    let prefix = get(matching, "prefix").and_then(Value::as_str);
    let exact = ["path", "path_separated_prefix"];
    let exact = exact.iter().find_map(|name| get(matching, name)?.as_str());
    let mut path = match (prefix, exact, get(matching, "safe_regex")) {
        (Some("/"), _, _) => "/any".to_owned(),
        (Some(prefix), _, _) => prefix.to_owned(),
        (_, Some(path), _) => path.to_owned(),
        (_, _, Some(regex)) => regex_sample::sample(&text(regex, "regex"))?,
        (None, None, None) => "/".to_owned(),
    };
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    let mut separator = '?';
    for parameter in list(matching, "query_parameters") {
        let name = text(parameter, "name");
        match value(parameter) {
            Some(value) => {
                path.push(separator);
                path.extend([name.as_str(), "=", value.as_str()]);
            }
            None => continue,
        }
        separator = '&';
    }
    let mut headers = HeaderList(request("GET", authority, &path));
    for header in list(matching, "headers") {
        let name = text(header, "name").to_ascii_lowercase();
        if let Some(value) = value(header) {
            headers.set(&name, &value);
        }
    }
    Some(headers)
}

/// A value for a condition on a header or a query parameter; `None` if it should be absent.
fn value(condition: &Value) -> Option<String> {
    let is_absent = get(condition, "present_match").is_some_and(|value| *value == false);
    let is_inverted = get(condition, "invert_match").is_some_and(|value| *value == true);
    if is_absent || is_inverted {
        return None;
    }
    let matcher = get(condition, "string_match").unwrap_or(condition);
    let names = [
        "exact",
        "prefix",
        "suffix",
        "contains",
        "exact_match",
        "prefix_match",
        "suffix_match",
        "contains_match",
    ];
    let literal = names.iter().find_map(|name| get(matcher, name)?.as_str());
    let regex = get(matcher, "safe_regex").or_else(|| get(matcher, "safe_regex_match"));
    let sampled = || regex_sample::sample(&text(regex?, "regex"));
    let range = || Some(get(get(matcher, "range_match")?, "start")?.to_string());
    let found = literal.map(str::to_owned).or_else(sampled).or_else(range);
    Some(found.unwrap_or_else(|| "1".to_owned()))
}

fn request(method: &str, authority: &str, path: &str) -> Vec<(String, String)> {
    let headers = [
        (":method", method),
        (":authority", authority),
        (":path", path),
        (":scheme", "http"),
    ];
    headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Paths that are similar to that of `target`: what a client may send by mistake, or to get around a rule.
fn near_misses(target: &str) -> Vec<String> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (target, String::new()),
    };
    let trimmed = path.trim_end_matches('/');
    let inside = trimmed.strip_prefix('/').unwrap_or(trimmed);
    let mut paths = vec![format!("/{path}"), format!("{trimmed}/../{inside}")];
    if let Some(first) = inside.chars().next() {
        let rest = inside.get(first.len_utf8()..).unwrap_or_default();
        if first.is_ascii() {
            paths.push(format!("/%{:02x}{rest}", u32::from(first)));
        }
        paths.push(format!("{trimmed}/"));
        paths.push(format!("{trimmed}x"));
        paths.push(format!("{trimmed}/x"));
        paths.push(format!("{trimmed};x=1"));
        paths.push(format!("{trimmed}%2fx"));
        paths.push(path.to_ascii_uppercase());
    }
    if let Some((parent, _)) = trimmed.rsplit_once('/') {
        paths.push(format!("{parent}/"));
    }
    paths.retain(|similar| similar != path);
    paths
        .into_iter()
        .map(|path| format!("{path}{query}"))
        .collect()
}
