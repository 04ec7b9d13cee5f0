//! The body of an answer on its way to a client: frame by frame, without a copy.

mod response;

pub(crate) use self::response::{Relay, ResponseBody};
