//! The table of requests for a chain: every rule and route, with every kind of token.

use serde_json::json;

use super::compared_request::{ComparedRequest, TokenKind};
use super::header_list::HeaderList;
use super::native::provider::NativeProvider;
use super::target::Target;
use super::tokens::Tokens;
use crate::mint::kind::Kind;
use crate::suite::case::{Case, CaseToken};

/// How many providers are tried where a request needs a token of several.
const MOST_PROVIDERS: usize = 4;

const GOOD: TokenKind = TokenKind::One(Kind::Good);

/// A provider of a filter.
type Issuer = (usize, String);

/// The table for these targets.
///
/// # Errors
///
/// That a token cannot be signed.
pub(crate) fn build(
    targets: &[Target],
    tokens: &Tokens<'_>,
) -> Result<Vec<ComparedRequest>, String> {
    let mut table = Table {
        tokens,
        requests: Vec::new(),
        placed: Vec::new(),
    };
    for target in targets {
        table.add_target(target)?;
    }
    Ok(table.requests)
}

struct Table<'t> {
    tokens: &'t Tokens<'t>,
    requests: Vec<ComparedRequest>,
    /// The providers of which every place has been tried.
    placed: Vec<Issuer>,
}

impl Table<'_> {
    fn add_target(&mut self, target: &Target) -> Result<(), String> {
        self.add(
            &target.headers,
            TokenKind::None,
            "no token",
            target.headers.clone(),
        );
        let relevant = self.tokens.pair.relevant_providers(&target.headers);
        let is_open = relevant.is_empty();
        let mut issuers = relevant;
        let filters = self.tokens.pair.native.iter().enumerate();
        for (filter, native) in filters {
            // Tokens of providers that the rule does not name, and tokens for rules that need none.
            for provider in &native.providers {
                let issuer = (filter, provider.name.clone());
                if !issuers.contains(&issuer) && (!target.is_near_miss || is_open) {
                    issuers.push(issuer);
                }
            }
        }
        issuers.truncate(MOST_PROVIDERS);
        for issuer in &issuers {
            let (filter, name) = issuer;
            let Some(provider) = self.tokens.provider(*filter, name) else {
                continue;
            };
            for (kind, kind_name, _) in Kind::ALL {
                let is_basic = matches!(kind, Kind::Good | Kind::Expired);
                if !target.has_all_kinds && !is_basic {
                    continue;
                }
                if let Some(token) = self.tokens.of_kind(*filter, name, (kind, kind_name))? {
                    let mut headers = target.headers.clone();
                    place(&mut headers, provider, 0, &token);
                    self.add(
                        &target.headers,
                        TokenKind::One(kind),
                        &format!("{kind_name} token of {name}"),
                        headers,
                    );
                }
            }
            if target.has_all_kinds && !self.placed.contains(issuer) {
                self.placed.push(issuer.clone());
                self.add_places(target, issuer, provider)?;
            }
        }
        if issuers.len() > 1 && !target.is_near_miss {
            let mut headers = target.headers.clone();
            for issuer in &issuers {
                self.place_good(&mut headers, issuer)?;
            }
            self.add(
                &target.headers,
                TokenKind::Several,
                "good tokens of several providers",
                headers,
            );
        }
        Ok(())
    }

    fn place_good(&self, headers: &mut HeaderList, issuer: &Issuer) -> Result<(), String> {
        let (filter, name) = issuer;
        let token = self.tokens.of_kind(*filter, name, (Kind::Good, "good"))?;
        if let (Some(provider), Some(token)) = (self.tokens.provider(*filter, name), token) {
            place(headers, provider, 0, &token);
        }
        Ok(())
    }

    /// Adds tokens in all places, in wrong forms, and other things that a client may send.
    fn add_places(
        &mut self,
        target: &Target,
        (filter, name): &Issuer,
        provider: &NativeProvider,
    ) -> Result<(), String> {
        let base = &target.headers;
        let good = self.tokens.of_kind(*filter, name, (Kind::Good, "good"))?;
        let Some(good) = good else {
            return Ok(());
        };
        for index in 1..places(provider) {
            let mut headers = base.clone();
            let place_name = place(&mut headers, provider, index, &good);
            self.add(
                base,
                GOOD,
                &format!("good token of {name} in {place_name}"),
                headers.clone(),
            );
            place(&mut headers, provider, 0, &good);
            self.add(
                base,
                TokenKind::Several,
                &format!("good token of {name} twice, also in {place_name}"),
                headers,
            );
        }
        let mut twice = base.clone();
        place(&mut twice, provider, 0, &good);
        let mut forged = twice.clone();
        place(&mut twice, provider, 0, &good);
        self.add(
            base,
            TokenKind::Several,
            &format!("good token of {name} twice"),
            twice,
        );
        let own: Vec<&str> = provider.own_headers().collect();
        for header in &own {
            forged.add(header, "forged");
        }
        if !own.is_empty() {
            let mut without = base.clone();
            without.add(own.first().copied().unwrap_or_default(), "forged");
            self.add(
                base,
                TokenKind::None,
                "no token, and a header of the gate's own",
                without,
            );
            self.add(
                base,
                GOOD,
                &format!("good token of {name}, and headers of the gate's own"),
                forged,
            );
        }
        for (text, value) in [("number", json!(-1.5)), ("list", json!(["<a>", 1]))] {
            let claims = self.tokens.claims_with(*filter, name, &value);
            let token = self.tokens.mint(*filter, name, Kind::Good, &claims)?;
            if let Some(token) = token.filter(|_| !claims.is_empty()) {
                let mut headers = base.clone();
                place(&mut headers, provider, 0, &token);
                self.add(
                    base,
                    GOOD,
                    &format!("token of {name} with a {text} as claim"),
                    headers,
                );
            }
        }
        if let Some(parameter) = provider.parameters.first() {
            let mut headers = base.clone();
            add_parameter(&mut headers, "x", "%41");
            add_parameter(&mut headers, parameter, &good);
            self.add(
                base,
                GOOD,
                &format!("good token of {name} behind another parameter"),
                headers,
            );
        }
        self.add_forms(base, name, provider, &good);
        self.add_preflight(base);
        Ok(())
    }

    /// Adds the token in forms that are unusual or wrong.
    fn add_forms(&mut self, base: &HeaderList, name: &str, provider: &NativeProvider, good: &str) {
        let Some((header, prefix)) = provider.headers.first() else {
            return;
        };
        let forms = [
            ("no token behind the prefix", prefix.trim_end().to_owned()),
            ("the token without its prefix", good.to_owned()),
            (
                "the prefix in lower case",
                format!("{}{good}", prefix.to_lowercase()),
            ),
            ("two spaces before the token", format!("{prefix} {good}")),
            ("something behind the token", format!("{prefix}{good} x")),
            ("something before the prefix", format!("x, {prefix}{good}")),
            ("another scheme", "Basic dTpw".to_owned()),
        ];
        for (form, value) in forms {
            if prefix.is_empty() && !form.starts_with("something behind") {
                continue;
            }
            let mut headers = base.clone();
            headers.add(header, &value);
            self.add(
                base,
                TokenKind::Form,
                &format!("{form}, of {name}"),
                headers,
            );
        }
    }

    fn add_preflight(&mut self, base: &HeaderList) {
        let mut headers = base.clone();
        headers.set(":method", "OPTIONS");
        headers.set("origin", "https://app.example");
        headers.set("access-control-request-method", "GET");
        self.add(
            &headers.clone(),
            TokenKind::None,
            "a CORS preflight",
            headers,
        );
    }

    fn add(&mut self, base: &HeaderList, kind: TokenKind, token: &str, headers: HeaderList) {
        self.requests.push(ComparedRequest {
            token: token.to_owned(),
            kind,
            headers,
            shown_path: base.get(":path").to_owned(),
        });
    }
}

/// How many places a provider reads tokens from.
fn places(provider: &NativeProvider) -> usize {
    let places = [&provider.parameters, &provider.cookies];
    let others: usize = places.iter().map(|places| places.len()).sum();
    provider.headers.len().saturating_add(others)
}

/// Puts a token into the place with this index. Returns the name of the place.
fn place(headers: &mut HeaderList, provider: &NativeProvider, index: usize, token: &str) -> String {
    if let Some((name, prefix)) = provider.headers.get(index) {
        headers.add(name, &format!("{prefix}{token}"));
        return format!("the header {name}");
    }
    let index = index.saturating_sub(provider.headers.len());
    if let Some(name) = provider.parameters.get(index) {
        add_parameter(headers, name, token);
        return format!("the parameter {name}");
    }
    let index = index.saturating_sub(provider.parameters.len());
    let name = provider.cookies.get(index).map_or("", String::as_str);
    headers.add("cookie", &format!("{name}={token}"));
    format!("the cookie {name}")
}

fn add_parameter(headers: &mut HeaderList, name: &str, value: &str) {
    let target = headers.get(":path");
    let separator = if target.contains('?') { '&' } else { '?' };
    let target = format!("{target}{separator}{name}={value}");
    headers.set(":path", &target);
}

/// The requests of these cases. What the cases expect does not matter.
///
/// # Errors
///
/// Why a case has no token here.
pub(crate) fn from_cases(
    cases: &[Case],
    tokens: &Tokens<'_>,
) -> Result<Vec<ComparedRequest>, String> {
    let requests = cases.iter().map(|case| {
        let (line, column) = case.token_place;
        from_case(case, tokens).map_err(|problem| format!("{line}:{column}: {problem}"))
    });
    requests.collect()
}

fn from_case(case: &Case, tokens: &Tokens<'_>) -> Result<ComparedRequest, String> {
    let mut headers = HeaderList::default();
    let path = case.path.as_deref().unwrap_or("/");
    headers.add(":method", case.method.as_deref().unwrap_or("GET"));
    headers.add(":path", path);
    headers.add(":scheme", "http");
    headers.add(":authority", "localhost");
    for (name, value) in &case.headers {
        if name.starts_with(':') {
            headers.remove(name);
        }
        headers.add(name, value);
    }
    match &case.token {
        CaseToken::None => {}
        CaseToken::File(_) => {
            return Err("compare mints all tokens: name a `kind`".to_owned());
        }
        CaseToken::Minted {
            kind,
            provider,
            claims,
        } => {
            let (filter, provider) = named(provider.as_deref(), tokens)?;
            let token = tokens.mint(filter, &provider.name, *kind, claims)?;
            let token = token.ok_or("there is no such token for this provider")?;
            place(&mut headers, provider, 0, &token);
        }
    }
    Ok(ComparedRequest {
        token: case.name.clone(),
        kind: match &case.token {
            CaseToken::Minted { kind, .. } => TokenKind::One(*kind),
            CaseToken::None | CaseToken::File(_) => TokenKind::None,
        },
        headers,
        shown_path: path.to_owned(),
    })
}

/// The provider with this name; without a name, the only one.
fn named<'t>(
    name: Option<&str>,
    tokens: &Tokens<'t>,
) -> Result<(usize, &'t NativeProvider), String> {
    let filters = tokens.pair.native.iter().enumerate();
    let all =
        filters.flat_map(|(index, filter)| filter.providers.iter().map(move |one| (index, one)));
    let all: Vec<(usize, &NativeProvider)> = all.collect();
    let found = match (name, all.as_slice()) {
        (Some(name), all) => all.iter().find(|(_, provider)| provider.name == name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = all
            .iter()
            .map(|(_, provider)| provider.name.as_str())
            .collect();
        format!("`provider` must name one of {}", names.join(", "))
    })
}
