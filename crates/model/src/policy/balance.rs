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

    /// What it does, for help texts.
    pub fn help(self) -> &'static str {
        match self {
            Balance::LeastRequest => "Of two endpoints at random, the one with fewer requests in flight",
            Balance::RoundRobin => "Each endpoint in turn",
        }
    }

    /// The one with this word.
    pub fn parse(word: &str) -> Option<Balance> {
        Balance::ALL.into_iter().find(|balance| balance.as_str() == word)
    }
}
