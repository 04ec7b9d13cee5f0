//! The program beside a real API server, with the controllers that make slices of pods.

mod away;
mod beside;
mod emptied;
mod follow;
mod forgotten;
mod lies;
mod odd;
mod pods;
mod report;
mod rights;
mod scope;
mod secrets;
mod slow;
mod taints;
