//! Records in Route 53: against a strict model of it, in one process, and against a stand-in that speaks AWS' own protocol.

mod model;

mod adoption;
mod batches;
mod converges;
mod hosts;
mod keeper;
mod quiet;
