//! The program as its users meet it: real processes, real sockets, real signals, real exit codes.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

mod affinity;
mod applications;
mod auth;
mod before;
mod behaviour;
mod check;
mod class;
mod clients;
mod cluster;
mod config_map;
mod conformance;
mod demo;
mod dns;
mod drain;
mod endpoints;
mod explain;
mod handover;
mod lame_duck;
mod load_balancers;
mod monitoring;
mod one_after_the_other;
mod overload;
mod run;
mod tcp_services;
mod upgrade;
