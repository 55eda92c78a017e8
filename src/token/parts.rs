//! What is read of a token's header (RFC 7515, section 4) and of its payload (RFC 7519, section 4).

use serde::de::MapAccess;
use serde_json::{Map, Value};

use crate::claims::{Claims, Registered};
use crate::denial::Reason;
use crate::json::{Members, PassOver, Plain};

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
    fn take<A: MapAccess<'de>>(&mut self, name: &str, access: &mut A) -> Result<(), A::Error> {
        let member = match name {
            "alg" => &mut self.alg,
            "typ" => &mut self.typ,
            "kid" => &mut self.kid,
            _ => {
                self.is_critical |= matches!(name, "crit" | "b64" | "zip");
                return access.next_value_seed(PassOver);
            }
        };
        *member = Some(access.next_value()?);
        Ok(())
    }
}

/// The registered claims of a payload, and those of its members that are `wanted`.
pub(super) struct Payload<W> {
    /// The claims, unless one has a value of the wrong type.
    pub(super) claims: Result<Claims, Reason>,
    pub(super) members: Map<String, Value>,
    wanted: W,
}

impl<W> Payload<W> {
    pub(super) fn new(wanted: W) -> Self {
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

impl<'de, W: Fn(&str) -> bool> Members<'de> for Payload<W> {
    fn take<A: MapAccess<'de>>(&mut self, name: &str, access: &mut A) -> Result<(), A::Error> {
        let claim = Registered::named(name);
        if (self.wanted)(name) {
            let value: Value = access.next_value()?;
            if let Some(claim) = claim {
                self.set(claim, Plain::from(&value));
            }
            self.members.insert(name.to_owned(), value);
        } else if let Some(claim) = claim {
            let value = access.next_value()?;
            self.set(claim, value);
        } else {
            access.next_value_seed(PassOver)?;
        }
        Ok(())
    }
}
