//! From where clients come.

use std::fmt;
use std::str::FromStr;

/// From where a load balancer can be reached, in AWS' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrontendScheme {
    /// From within the network alone.
    Internal,
    /// From everywhere.
    InternetFacing,
}

impl FrontendScheme {
    /// All there are.
    pub const ALL: [FrontendScheme; 2] = [FrontendScheme::Internal, FrontendScheme::InternetFacing];

    /// As AWS and annotations write it.
    pub fn as_str(self) -> &'static str {
        match self {
            FrontendScheme::Internal => "internal",
            FrontendScheme::InternetFacing => "internet-facing",
        }
    }
}

impl fmt::Display for FrontendScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FrontendScheme {
    type Err = &'static str;

    fn from_str(raw: &str) -> Result<FrontendScheme, Self::Err> {
        let found = FrontendScheme::ALL.into_iter().find(|scheme| scheme.as_str() == raw);
        found.ok_or("write internal or internet-facing")
    }
}
