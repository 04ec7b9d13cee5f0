//! The way from nodes to the API server, which listens on this machine's own loopback: a network namespace that has the
//! address of the Service `kubernetes`, a listener in it, and connections from ours.

use std::fs::File;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Socket, Type};

use crate::network::{Network, hear};
use crate::{Error, Programs};

/// The address of the Service `kubernetes`: the first of the control plane's range. It is in the API server's certificate.
pub(crate) const API: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 96, 0, 1), 443);

/// What holds the namespace.
const SCRIPT: &str = include_str!("api.sh");

/// A namespace with a listener that relays until it is dropped.
pub(crate) struct Relay {
    listener: Socket,
    holder: Child,
}

impl Relay {
    /// Makes the namespace, listens in it, and relays to this address of ours.
    pub(crate) fn start(
        programs: &Programs,
        network: &Network,
        group: i32,
        server: SocketAddr,
    ) -> Result<Self, Error> {
        let holder = hold(programs, network, group)?;
        let listener =
            listen(holder.id()).map_err(Error::io("listen for nodes that ask for the API server"))?;
        let accepting: TcpListener =
            listener.try_clone().map_err(Error::io("share a listener with a thread"))?.into();
        thread::spawn(move || {
            while let Ok((node, _)) = accepting.accept() {
                thread::spawn(move || relay(node, server));
            }
        });
        Ok(Self { listener, holder })
    }
}

impl Drop for Relay {
    /// Ends the thread, which would hold the namespace.
    fn drop(&mut self) {
        let _ = self.listener.shutdown(Shutdown::Both);
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A process in a namespace that is connected.
fn hold(programs: &Programs, network: &Network, group: i32) -> Result<Child, Error> {
    let mut unshare = programs.command("unshare");
    unshare.args([
        "--net",
        "sh",
        "-c",
        SCRIPT,
        "api.sh",
        &network.api_address().to_string(),
        &network.prefix(),
    ]);
    unshare.process_group(group).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = unshare.spawn().map_err(Error::io("start `unshare` for the API server's relay"))?;
    let mut says = BufReader::new(holder.stdout.take().expect("it is a pipe"));
    let failed =
        || Error::io("set the namespace of the API server's relay up")(std::io::ErrorKind::Other.into());
    hear(&mut says, "prepared").ok_or_else(failed)?;
    network.connect(programs, 0, holder.id())?;
    let told = holder.stdin.as_mut().expect("it is a pipe").write_all(b"connected\n");
    told.map_err(Error::io("tell the API server's relay that it is connected"))?;
    hear(&mut says, "started").ok_or_else(failed)?;
    Ok(holder)
}

/// A socket stays in the namespace in which it was made, and a thread that entered one ends there.
fn listen(process: u32) -> std::io::Result<Socket> {
    let listen = move || -> std::io::Result<Socket> {
        let namespace = File::open(format!("/proc/{process}/ns/net"))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from(API).into())?;
        socket.listen(128)?;
        Ok(socket)
    };
    thread::spawn(listen).join().unwrap_or_else(|_| Err(std::io::Error::other("the thread has panicked")))
}

/// Both ways, until both have ended.
fn relay(node: TcpStream, server: SocketAddr) {
    let Ok(server) = TcpStream::connect(server) else { return };
    let (Ok(node_too), Ok(server_too)) = (node.try_clone(), server.try_clone()) else { return };
    let back = thread::spawn(move || copy(&server_too, &node_too));
    copy(&node, &server);
    let _ = back.join();
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    // However it ends, the other side is told.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
