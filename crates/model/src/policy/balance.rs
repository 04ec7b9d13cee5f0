//! How a backend's endpoints share its requests.

/// How a backend's endpoints share its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// Of two endpoints picked at random, the one with fewer requests in flight (power of two choices).
    #[default]
    LeastRequest,
    /// Each endpoint in turn.
    RoundRobin,
}

impl Balance {
    /// All of them.
    pub const ALL: [Balance; 2] = [Balance::LeastRequest, Balance::RoundRobin];

    /// The word used in annotations, flags and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Balance::LeastRequest => "least-request",
            Balance::RoundRobin => "round-robin",
        }
    }
}
