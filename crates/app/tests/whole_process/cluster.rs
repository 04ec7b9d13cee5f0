//! The program beside a real API server, with the controllers that make slices of pods.

mod follow;
mod report;
