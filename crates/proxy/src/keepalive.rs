//! What the kernel watches on a connection: whether the other machine is still there. One that is gone closes nothing, and
//! a peer that only listens, as in a tunnel or a call of gRPC, would never learn of it.
//!
//! Towards endpoints PING of HTTP/2 is no substitute: servers of gRPC take more than one in five minutes as abuse.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl, set_tcp_user_timeout,
};

/// Questions without an answer after which the machine is gone.
const PROBES: u32 = 3;
/// They are asked so much faster than the first one, in whole seconds, which is what the kernel knows.
const FASTER: u32 = 3;
const SECOND: Duration = Duration::from_secs(1);

/// Has a connection watched, or all that a listening socket will accept.
///
/// # Errors
/// If the kernel does not.
pub(crate) fn watch(socket: impl AsFd, interval: Duration) -> io::Result<()> {
    let interval = interval.max(SECOND);
    set_tcp_keepidle(&socket, interval)?;
    set_tcp_keepintvl(&socket, (interval / FASTER).max(SECOND))?;
    set_tcp_keepcnt(&socket, PROBES)?;
    Ok(set_socket_keepalive(&socket, true)?)
}

/// Ends a connection on which what was sent is not confirmed for so long (gRFC A18). The kernel alone would send it again
/// for fifteen minutes, which is too long for what many requests share. It would also cut a peer that confirms but does not
/// read; with HTTP/2 an endpoint reads all that comes, with HTTP/1 it may not.
///
/// # Errors
/// If the kernel does not.
pub(crate) fn watch_shared(socket: impl AsFd, confirmed_within: Duration) -> io::Result<()> {
    let millis = u32::try_from(confirmed_within.as_millis()).unwrap_or(u32::MAX);
    Ok(set_tcp_user_timeout(socket, millis)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::sockopt::{socket_keepalive, tcp_keepidle, tcp_keepintvl, tcp_user_timeout};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_kernel_watches_a_connection_as_it_is_told_and_so_it_does_what_a_listener_accepts() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        watch(&listener, Duration::from_secs(12)).expect("the options are known");
        let socket =
            TcpStream::connect(listener.local_addr().expect("a bound socket")).expect("a connection");
        let (accepted, _) = listener.accept().expect("a connection");
        assert!(socket_keepalive(&accepted).expect("an option"));
        assert_eq!(tcp_keepidle(&accepted).expect("an option"), Duration::from_secs(12));
        assert_eq!(tcp_keepintvl(&accepted).expect("an option"), Duration::from_secs(4));
        watch(&socket, Duration::from_millis(1)).expect("less than a second is one");
        watch_shared(&socket, Duration::from_secs(20)).expect("the option is known");
        assert_eq!(tcp_user_timeout(&socket).expect("an option"), 20_000);
    }
}
