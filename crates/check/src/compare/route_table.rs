//! Which route a request takes, and what the route chooses of a filter.

use serde_json::Value;

use super::header_list::HeaderList;
use super::native::RouteChoice;
use super::native::envoy_matchers::RouteMatch;
use super::native::fields::{flag, get, list, text, texts};

/// The routes of a bootstrap.
pub(crate) struct RouteTable {
    hosts: Vec<Host>,
    /// How many routes have a match that is not modelled.
    pub(crate) not_modelled: usize,
}

struct Host {
    domains: Vec<String>,
    routes: Vec<Option<RouteMatch>>,
}

/// The virtual host and the route of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selected {
    host: Option<usize>,
    pub(crate) route: Option<usize>,
}

impl RouteTable {
    /// Reads a route configuration.
    pub(crate) fn parse(config: &Value) -> Self {
        let hosts = list(config, "virtual_hosts").into_iter().map(|host| {
            let routes = list(host, "routes").into_iter();
            let routes =
                routes.map(|route| RouteMatch::parse(get(route, "match").unwrap_or(route)).ok());
            Host {
                domains: texts(host, "domains"),
                routes: routes.collect(),
            }
        });
        let hosts: Vec<Host> = hosts.collect();
        let routes = hosts.iter().flat_map(|host| &host.routes);
        Self {
            not_modelled: routes.filter(|route| route.is_none()).count(),
            hosts,
        }
    }

    /// The route of a request with these headers.
    pub(crate) fn select(&self, headers: &HeaderList) -> Selected {
        let authority = headers.get(":authority").to_ascii_lowercase();
        let ranked = self.hosts.iter().enumerate().filter_map(|(index, host)| {
            let ranks = host.domains.iter().map(|domain| rank(domain, &authority));
            ranks.flatten().max().map(|rank| (rank, index))
        });
        // Of equals the first wins.
        let best = ranked.max_by_key(|(rank, index)| (*rank, std::cmp::Reverse(*index)));
        let Some((_, index)) = best else {
            return Selected::default();
        };
        let request = headers.request();
        let routes = self.hosts.get(index).map(|host| host.routes.iter());
        let route = routes.and_then(|mut routes| {
            routes.position(|route| route.as_ref().is_some_and(|one| one.matches(&request)))
        });
        Selected {
            host: Some(index),
            route,
        }
    }
}

/// How well a domain of a virtual host fits `authority`; `None` if it does not.
fn rank(domain: &str, authority: &str) -> Option<(u8, usize)> {
    let domain = domain.to_ascii_lowercase();
    let longer = |rest: &str| authority.len() > rest.len();
    if domain == authority {
        return Some((3, domain.len()));
    }
    if domain == "*" {
        return Some((0, 0));
    }
    if let Some(rest) = domain.strip_prefix('*') {
        return (authority.ends_with(rest) && longer(rest)).then_some((2, rest.len()));
    }
    let rest = domain.strip_suffix('*')?;
    (authority.starts_with(rest) && longer(rest)).then_some((1, rest.len()))
}

impl Selected {
    fn host(self, config: &Value) -> Option<&Value> {
        list(config, "virtual_hosts").get(self.host?).copied()
    }

    /// The route in a route configuration.
    fn route(self, config: &Value) -> Option<&Value> {
        let routes = list(self.host(config)?, "routes");
        routes.get(self.route?).copied()
    }

    /// What the most specific level says of the filter `name`.
    fn per_filter<'v>(self, config: &'v Value, name: &str) -> Option<&'v Value> {
        let levels = [
            self.route(config),
            self.host(config),
            self.host.map(|_| config),
        ];
        let mut levels = levels.into_iter().flatten();
        levels.find_map(|level| get(level, "typed_per_filter_config")?.get(name))
    }

    /// What the route chooses of the `jwt_authn` filter `name`.
    pub(crate) fn native_choice(
        self,
        config: &Value,
        name: &str,
        off_by_default: bool,
    ) -> RouteChoice {
        match self.per_filter(config, name) {
            Some(chosen) => choice(chosen),
            None if off_by_default => RouteChoice::Off,
            None => RouteChoice::Rules,
        }
    }

    /// Whether the filter `name` is on.
    pub(crate) fn is_on(self, config: &Value, name: &str, off_by_default: bool) -> bool {
        let chosen = self.per_filter(config, name);
        chosen.map_or(!off_by_default, |chosen| !flag(chosen, "disabled"))
    }

    /// The requirement that the metadata of the route names for the gate.
    pub(crate) fn requirement_name(self, config: &Value) -> Option<String> {
        let metadata = get(self.route(config)?, "metadata")?;
        let ours = get(metadata, "filter_metadata")?.get("bearer_gate")?;
        Some(get(ours, "requirement_name")?.as_str()?.to_owned())
    }
}

fn choice(config: &Value) -> RouteChoice {
    let kind = text(config, "@type");
    if kind.ends_with(".FilterConfig") {
        let inner = get(config, "config").filter(|inner| inner.get("@type").is_some());
        return match inner {
            _ if flag(config, "disabled") => RouteChoice::Off,
            Some(inner) => choice(inner),
            None => RouteChoice::Rules,
        };
    }
    let message = if kind.ends_with(".TypedStruct") {
        get(config, "value").unwrap_or(config)
    } else {
        config
    };
    match text(message, "requirement_name").as_str() {
        "" => RouteChoice::Off,
        name => RouteChoice::Requirement(name.to_owned()),
    }
}
