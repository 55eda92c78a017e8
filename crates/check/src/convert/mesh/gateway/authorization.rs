//! `spec.authorization` of a `SecurityPolicy`: rules of which the first that matches decides.

use super::super::gate_rule::GateRule;
use super::super::path_pattern::PathPattern;
use super::super::problem::{Problem, cannot_check};
use super::super::request_match::{HeaderCondition, RequestMatch, on_path};
use super::super::resource::Resource;
use super::super::resource::texts;
use super::super::text_pattern::TextPattern;
use super::super::tokens::{Alternative, ClaimCondition, ClaimTest, Tokens};
use super::jwt::Jwt;
use crate::source_tree::Node;

/// `spec.authorization`.
#[derive(Debug)]
pub(super) struct Authorization<'n> {
    pub(super) node: Option<&'n Node>,
    pub(super) rules: Vec<AuthorizationRule<'n>>,
    /// Whether requests pass that no rule matches.
    allows_others: bool,
}

/// A rule of an authorization.
#[derive(Debug)]
pub(super) struct AuthorizationRule<'n> {
    pub(super) node: &'n Node,
    allows: bool,
    /// One of these matches the request.
    requests: Vec<RequestMatch>,
    /// The tokens that the rule is about, if it looks at them.
    tokens: Option<Tokens>,
    /// Conditions that the gate cannot check, as text; empty if there are none.
    pub(super) others: String,
}

/// The rules of the gate, and what they do not say.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) list: Vec<GateRule>,
    pub(super) problems: Vec<Problem>,
}

impl<'n> Authorization<'n> {
    /// Reads the policy `policy`.
    pub(super) fn parse(policy: &Resource<'n>, jwt: &Jwt<'n>) -> Self {
        let node = policy.spec("authorization");
        let rules = node.and_then(|node| node.get("rules")).map(Node::items);
        let default = node.and_then(|node| node.text_of("default_action"));
        let names = jwt.names();
        let rules = rules.unwrap_or_default().iter();
        let read = |is_exact| {
            let rules = rules.clone();
            let rules = rules.map(|rule| AuthorizationRule::parse(rule, &names, is_exact));
            Self {
                node,
                rules: rules.collect(),
                allows_others: node.is_none() || default == Some("Allow"),
            }
        };
        let authorization = read(false);
        // Where both decide, both must mean the same requests.
        if authorization.is_kept() {
            read(true)
        } else {
            authorization
        }
    }

    /// Whether the policy has to keep rules: for conditions that the gate cannot check, or to deny what it cannot deny.
    pub(super) fn is_kept(&self) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| !rule.others.is_empty() || (!rule.allows && rule.tokens.is_some()))
    }

    /// The rules of the gate; `None` if the rules overlap in too many ways.
    pub(super) fn rules(&self, jwt: &Jwt<'_>) -> Option<Rules> {
        let mut problems = Vec::new();
        let rules = self
            .rules
            .iter()
            .flat_map(|rule| rule.requests.iter().cloned());
        let matches = rules.chain([RequestMatch::default()]);
        let base = jwt.tokens();
        let rules = GateRule::all(matches, |cell| {
            Some(self.decide(cell, &base, &mut problems))
        })?;
        Some(Rules {
            list: rules,
            problems: Problem::distinct(problems),
        })
    }

    /// The tokens with which the requests of `cell` pass.
    ///
    /// What is left of the policy checks the conditions that the gate cannot check, and sees no tokens. So a token must
    /// do for a rule without such conditions before which nothing else may decide, or for all rules that allow.
    fn decide(
        &self,
        cell: &RequestMatch,
        base: &Tokens,
        problems: &mut Vec<Problem>,
    ) -> (Tokens, Vec<String>) {
        let mut walk = Walk::default();
        for rule in self.rules.iter().filter(|rule| rule.may_match(cell)) {
            walk.visit(rule, base);
            if walk.is_decided {
                break;
            }
        }
        if !walk.is_decided && self.allows_others {
            walk.allow(base, "");
        }
        let mut reviews = Vec::new();
        for (position, text) in walk.inexact() {
            if !reviews.contains(&text) {
                reviews.push(text.clone());
            }
            problems.push(Problem { position, text });
        }
        (walk.tokens(), reviews)
    }
}

/// The rules that may match some requests, in their order.
#[derive(Default)]
struct Walk<'r, 'n> {
    /// What rules that allow accept, with the conditions that the gate cannot check.
    allowed: Vec<(Tokens, &'r str)>,
    /// The number of those of `allowed` before which nothing else may decide.
    certain: Option<usize>,
    /// Rules that deny on conditions that the gate cannot negate.
    denying: Vec<&'r AuthorizationRule<'n>>,
    /// Rules that allow on conditions that the gate cannot check.
    allowing: Vec<&'r AuthorizationRule<'n>>,
    /// Whether there is a rule that denies on conditions that only the policy checks.
    has_denying: bool,
    /// Whether a rule that allows looks at tokens.
    has_tokens: bool,
    /// Whether the last rule decides about all requests.
    is_decided: bool,
}

impl<'r, 'n> Walk<'r, 'n> {
    fn visit(&mut self, rule: &'r AuthorizationRule<'n>, base: &Tokens) {
        if rule.allows {
            let tokens = rule.tokens.as_ref();
            let tokens = tokens.map_or_else(|| base.clone(), |tokens| base.and(tokens));
            self.has_tokens |= rule.tokens.is_some();
            self.allow(&tokens, &rule.others);
            if !rule.others.is_empty() {
                self.allowing.push(rule);
            }
        } else if rule.tokens.is_some() || (self.has_tokens && !rule.others.is_empty()) {
            self.certain.get_or_insert(self.allowed.len());
            self.denying.push(rule);
        } else {
            self.has_denying |= !rule.others.is_empty();
        }
        self.is_decided = rule.tokens.is_none() && rule.others.is_empty();
    }

    fn allow(&mut self, tokens: &Tokens, others: &'r str) {
        self.allowed.push((tokens.clone(), others));
    }

    /// Whether all rules that allow have the same conditions that the gate cannot check.
    fn has_same_others(&self) -> bool {
        let mut others = self.allowed.iter().map(|(_, others)| others);
        let first = others.next();
        let is_simple = self.denying.is_empty() && !self.has_denying;
        is_simple && first.is_none_or(|first| others.all(|other| other == first))
    }

    fn tokens(&self) -> Tokens {
        let certain = self.certain.unwrap_or(self.allowed.len());
        let has_same_others = self.has_same_others();
        let mut tokens = Tokens::none();
        let mut for_all: Option<Tokens> = None;
        for (index, (accepted, others)) in self.allowed.iter().enumerate() {
            let all = for_all.map_or_else(|| accepted.clone(), |all| all.and(accepted));
            for_all = Some(all);
            if has_same_others || (index < certain && others.is_empty()) {
                tokens = tokens.or(accepted.clone());
            }
        }
        tokens.or(for_all.unwrap_or_default())
    }

    /// What the tokens do not say exactly, and where it is.
    fn inexact(&self) -> Vec<(usize, String)> {
        let position = |rule: &AuthorizationRule<'_>| rule.node.range.start;
        let denying = self.denying.iter().map(|rule| {
            let text = if rule.tokens.is_some() {
                NO_NEGATION.to_owned()
            } else {
                format!(
                    "the gate cannot check {}. So that nothing is opened, what later rules allow needs the tokens that all \
                     rules for these requests ask for",
                    rule.others
                )
            };
            (position(rule), text)
        });
        let mut inexact: Vec<(usize, String)> = denying.collect();
        let mut tokens = self.allowed.iter().map(|(tokens, _)| tokens);
        let first = tokens.next();
        let same_tokens = first.is_none_or(|first| tokens.all(|other| other == first));
        if !same_tokens && !self.has_same_others() {
            let allowing = self.allowing.iter();
            inexact.extend(allowing.map(|rule| (position(rule), cannot_check(&rule.others))));
        }
        inexact
    }
}

/// What becomes of rules that deny because of a token.
const NO_NEGATION: &str = "a requirement of the gate cannot say what a token must not have. So that nothing is opened, the \
     policy denies what this rule matches whatever the token is, and what later rules allow needs the tokens that all \
     rules for these requests ask for";

impl<'n> AuthorizationRule<'n> {
    fn parse(node: &'n Node, providers: &[String], is_exact: bool) -> Self {
        let allows = node.text_of("action") == Some("Allow");
        let principal = node.get("principal");
        let field = |name: &str| principal.and_then(|principal| principal.get(name));
        let mut others = Vec::new();
        for entry in principal.map(Node::entries).unwrap_or_default() {
            if entry.key != "jwt" && entry.key != "headers" && !entry.value.is_empty() {
                others.push(format!("{} {}", entry.key, entry.value.to_json()));
            }
        }
        for entry in node.entries() {
            if !["name", "action", "operation", "principal"].contains(&entry.key.as_str()) {
                others.push(format!("{} {}", entry.key, entry.value.to_json()));
            }
        }
        let mut request = RequestMatch::default();
        for header in field("headers").map(Node::items).unwrap_or_default() {
            let values = texts(header.get("values"));
            request.headers.insert(HeaderCondition {
                name: header
                    .text_of("name")
                    .unwrap_or_default()
                    .to_ascii_lowercase(),
                patterns: exact(&values),
                inverted: false,
                ignore_case: false,
            });
        }
        let operation = node.get("operation");
        let methods = texts(operation.and_then(|operation| operation.get("methods")));
        if !methods.is_empty() {
            request.headers.insert(HeaderCondition {
                name: ":method".to_owned(),
                patterns: exact(&methods),
                inverted: false,
                ignore_case: true,
            });
        }
        let path = operation.and_then(|operation| operation.get("path"));
        Self {
            node,
            allows,
            requests: path.map_or_else(
                || vec![request.clone()],
                |path| with_path(path, &request, allows, is_exact),
            ),
            tokens: field("jwt").map(|jwt| tokens(jwt, providers)),
            others: others.join(", "),
        }
    }

    fn may_match(&self, cell: &RequestMatch) -> bool {
        self.requests.iter().any(|request| request.covers(cell))
    }
}

fn exact(values: &[&str]) -> Vec<TextPattern> {
    let values = values.iter();
    values
        .map(|&value| TextPattern::Exact(value.to_owned()))
        .collect()
}

/// The requests of `request` with this path. For Envoy Gateway a path also ends at a semicolon. If it must not be that
/// `is_exact`, paths with one match only what refuses them, which needs fewer rules.
fn with_path(
    path: &Node,
    request: &RequestMatch,
    allows: bool,
    is_exact: bool,
) -> Vec<RequestMatch> {
    let value = path.text_of("value").unwrap_or("/");
    let is_inverted = path.get("invert").is_some_and(Node::is_true);
    let with_header = |condition: HeaderCondition| {
        let mut request = request.clone();
        request.headers.insert(condition);
        vec![request]
    };
    let prefix = value.strip_suffix('/').unwrap_or(value);
    let pattern = match path.text_of("type") {
        Some("Exact") => PathPattern::Exact(value.to_owned()),
        Some("RegularExpression") => {
            return with_header(HeaderCondition {
                name: ":path".to_owned(),
                patterns: vec![TextPattern::Regex(value.to_owned())],
                inverted: is_inverted,
                ignore_case: false,
            });
        }
        _ if prefix.is_empty() => PathPattern::Prefix("/".to_owned()),
        _ => PathPattern::Segments(prefix.to_owned()),
    };
    let end = match &pattern {
        PathPattern::Exact(path) | PathPattern::Segments(path) => Some(format!("{path};")),
        _ => None,
    };
    let is_needed = is_exact || allows == is_inverted;
    let mut patterns = vec![pattern];
    patterns.extend(end.filter(|_| is_needed).map(PathPattern::Prefix));
    if is_inverted {
        return with_header(on_path(&patterns, true));
    }
    let with_path = |pattern| {
        let mut request = request.clone();
        request.paths.insert(pattern);
        request
    };
    patterns.into_iter().map(with_path).collect()
}

/// The tokens of `principal.jwt`.
fn tokens(jwt: &Node, providers: &[String]) -> Tokens {
    let name = jwt.text_of("provider").unwrap_or_default();
    let Some(provider) = providers.iter().position(|provider| provider == name) else {
        return Tokens::none();
    };
    let mut any = Alternative::any_of(provider);
    for scope in texts(jwt.get("scopes")) {
        any = any.with_scope(scope);
    }
    let mut tokens: Tokens = [any].into_iter().collect();
    for claim in jwt.get("claims").map(Node::items).unwrap_or_default() {
        let path: Vec<String> = claim
            .text_of("name")
            .unwrap_or_default()
            .split('.')
            .map(str::to_owned)
            .collect();
        let is_list = claim.text_of("value_type") == Some("StringArray");
        let values = texts(claim.get("values")).into_iter().map(|value| {
            let value = value.to_owned();
            let test = if is_list {
                ClaimTest::Contains(value)
            } else {
                ClaimTest::Exact(value)
            };
            let path = path.clone();
            Alternative::any_of(provider).with_claim(ClaimCondition { path, test })
        });
        tokens = tokens.and(&values.collect());
    }
    tokens
}
