//! What is read of a token's header (RFC 7515, section 4) and of its payload (RFC 7519, section 4).

use serde_json::{Map, Value};

use crate::claims::{Claims, Registered};
use crate::json::{Member, Members, Plain, Unreadable};
use crate::reason::Reason;

/// The members of a header that are looked at.
#[derive(Default)]
pub(super) struct Header<'de> {
    pub(super) alg: Option<Plain<'de>>,
    pub(super) typ: Option<Plain<'de>>,
    pub(super) kid: Option<Plain<'de>>,
    /// Whether there is one that must not be passed over: an extension that is not understood must
    /// be refused (RFC 7515, section 4.1.11), and `b64` (RFC 7797) and `zip` would change what the
    /// signature is over or says.
    pub(super) is_critical: bool,
}

impl<'de> Members<'de> for Header<'de> {
    fn take(&mut self, member: Member<'_, 'de>) -> Result<(), Unreadable> {
        let kept = match member.name() {
            "alg" => &mut self.alg,
            "typ" => &mut self.typ,
            "kid" => &mut self.kid,
            name => {
                self.is_critical |= matches!(name, "crit" | "b64" | "zip");
                return member.pass_over();
            }
        };
        *kept = Some(member.plain()?);
        Ok(())
    }
}

/// The registered claims of a payload, and those of its members that are `wanted`.
pub(super) struct Payload<'w> {
    /// The claims, unless one has a value of the wrong type.
    pub(super) claims: Result<Claims, Reason>,
    pub(super) members: Map<String, Value>,
    wanted: Wanted<'w>,
}

/// Which members of a payload are kept.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'w> {
    /// Every one.
    All,
    /// Those of these names.
    Named(&'w [String]),
}

impl Wanted<'_> {
    fn has(self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|one| one == name),
        }
    }
}

impl<'w> Payload<'w> {
    pub(super) fn new(wanted: Wanted<'w>) -> Self {
        Self {
            claims: Ok(Claims::default()),
            members: Map::new(),
            wanted,
        }
    }

    fn set(&mut self, claim: Registered, value: Plain<'_>) {
        let set = self.claims.as_mut().map(|claims| claims.set(claim, value));
        if let Ok(Err(reason)) = set {
            self.claims = Err(reason);
        }
    }
}

impl<'de> Members<'de> for Payload<'_> {
    fn take(&mut self, member: Member<'_, 'de>) -> Result<(), Unreadable> {
        let name = member.name();
        let claim = Registered::named(name);
        if self.wanted.has(name) {
            let name = name.to_owned();
            let value = member.whole()?;
            if let Some(claim) = claim {
                self.set(claim, Plain::from(&value));
            }
            self.members.insert(name, value);
        } else if let Some(claim) = claim {
            let value = member.plain()?;
            self.set(claim, value);
        } else {
            member.pass_over()?;
        }
        Ok(())
    }
}
