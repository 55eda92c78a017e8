//! The commands that fetch key sets.

use std::fmt::Write as _;

use gate::fetching::Resource;

use crate::source_tree::Node;

/// The command with which an operator fetches the key set of a provider, as the filter does.
#[derive(Clone)]
pub(crate) struct FetchCommand {
    /// The name of the provider.
    pub(crate) provider: String,
    /// The command for a shell. It contains no secret.
    pub(crate) command: String,
}

/// The commands for the providers of a configuration that fetch their key sets.
pub(crate) fn all(config: &Node) -> Vec<FetchCommand> {
    let providers = config.get("providers").map(Node::entries);
    let providers = providers.unwrap_or_default().iter();
    providers
        .filter_map(|entry| {
            Some(FetchCommand {
                provider: entry.key.clone(),
                command: command(&entry.key, &entry.value)?,
            })
        })
        .collect()
}

fn command(name: &str, provider: &Node) -> Option<String> {
    let remote = provider.get("remote_jwks")?;
    let headers = headers(remote);
    let file = quoted(&format!("{name}.jwks.json"));
    if let Some(uri) = remote.get("http_uri").and_then(|uri| uri.text_of("uri")) {
        return Some(format!("curl -fsS{headers} -o {file} {}", quoted(uri)));
    }
    remote.get("discovery")?;
    let issuer = provider.text_of("issuer").or_else(|| {
        let issuers = provider.get("issuers").map(Node::items)?;
        issuers.first()?.text()
    })?;
    let [place, _] = Resource::of_metadata(issuer)?;
    let scheme = issuer.split("://").next()?;
    let metadata = quoted(&format!("{scheme}://{}{}", place.authority, place.path));
    Some(format!(
        "curl -fsS{headers} -o {file} \"$(curl -fsS{headers} {metadata} | jq -r .jwks_uri)\""
    ))
}

/// The headers that the filter sends. Values may be secrets, so variables stand for them.
fn headers(remote: &Node) -> String {
    let mut headers = String::new();
    if remote.get("authorization").is_some() {
        headers.push_str(" -H \"authorization: $AUTHORIZATION\"");
    }
    for header in remote.get("headers").map(Node::items).unwrap_or_default() {
        let name = header.text_of("name").unwrap_or_default();
        if name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            let variable = name.to_ascii_uppercase().replace('-', "_");
            let _ = write!(headers, " -H \"{name}: ${variable}\"");
        }
    }
    headers
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
