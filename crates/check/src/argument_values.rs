//! Values that several commands read from their command lines.

use std::path::PathBuf;

use gate::time::Timestamp;
use lexopt::{Parser, ValueExt};

/// Parses the value of an option, `[PROVIDER=]FILE`.
pub(crate) fn provider_file(
    parser: &mut Parser,
) -> Result<(Option<String>, PathBuf), lexopt::Error> {
    let text = parser.value()?.string()?;
    Ok(match text.split_once('=') {
        Some((provider, file)) => (Some(provider.to_owned()), file.into()),
        None => (None, text.into()),
    })
}

/// Parses a time.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(secs) = text.parse() {
        return Ok(Timestamp::from_unix_secs(secs));
    }
    let time = humantime::parse_rfc3339(text).ok();
    let since_epoch = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since_epoch.map(Timestamp::from_unix).ok_or_else(|| {
        format!(
            "--now: {text:?} is neither seconds since 1970 nor a time like 2026-01-31T12:00:00Z"
        )
    })
}
