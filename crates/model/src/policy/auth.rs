//! Which requests may use a route: those with a password, and those that another server vouches for.

mod external;
mod users;

use std::fmt;
use std::sync::Arc;

pub use external::{AuthServer, CacheTime, ExternalAuth, WordCache};
pub use users::{BCRYPT_COST_MAX, HashError, PasswordHash, Scheme, Users};

use crate::AddressRules;

/// What a request must have to be sent to an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Auth {
    /// If there are any, a client that they allow by name, or one that has what either of the others ask for, may pass. Else
    /// all that is asked for is needed, and addresses are a filter of their own.
    pub any: Option<AddressRules>,
    /// A password.
    pub password: Option<PasswordAuth>,
    /// Another server's word.
    pub external: Option<ExternalAuth>,
}

/// Requests need a name and a password (Basic, RFC 7617). Endpoints do not see them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PasswordAuth {
    /// What clients are told that they log in to: visible ASCII characters and spaces.
    pub realm: Arc<str>,
    /// Whose passwords are which.
    pub users: Arc<Users>,
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ways = Vec::new();
        ways.extend(self.any.iter().map(|rules| format!("addresses {rules}")));
        ways.extend(self.password.iter().map(ToString::to_string));
        ways.extend(self.external.iter().map(ToString::to_string));
        f.write_str(&ways.join(if self.any.is_some() { ", or " } else { ", and " }))
    }
}

/// Without anything of what is secret.
impl fmt::Display for PasswordAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the password of one of {} users, realm {:?}", self.users.count(), self.realm)
    }
}
