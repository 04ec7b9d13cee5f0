//! The body of an answer on its way to a client: frame by frame, and without a copy unless it is compressed.

mod gzip;
mod response;

pub(crate) use self::gzip::Gzip;
pub(crate) use self::response::{Relay, ResponseBody};
