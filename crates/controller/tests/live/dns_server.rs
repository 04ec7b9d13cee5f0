//! A DNS server for tests: UDP on loopback, one name's A records, and silence when it is told to be silent.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

/// A record's type (RFC 1035 §3.2.2).
const A: [u8; 2] = [0, 1];

#[derive(Clone, Default)]
pub(crate) struct DnsServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// What it answers with, each with a time to live of 1 s; `None` for silence.
    addresses: Option<Vec<Ipv4Addr>>,
    queries: usize,
}

impl DnsServer {
    pub(crate) async fn start(&self) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let (address, state) = (socket.local_addr().expect("its address"), self.clone());
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                if let Some(response) = state.respond(&buffer[..length]) {
                    socket.send_to(&response, client).await.expect("sent");
                }
            }
        });
        address
    }

    pub(crate) fn answer(&self, addresses: &[Ipv4Addr]) {
        self.0.lock().expect("the state").addresses = Some(addresses.to_vec());
    }

    pub(crate) fn be_silent(&self) {
        *self.0.lock().expect("the state") = State::default();
    }

    /// The queries since the server was told to be silent.
    pub(crate) fn queries(&self) -> usize {
        self.0.lock().expect("the state").queries
    }

    /// RFC 1035 §4.1: the header, the question again, and the answers, each naming the question's name by offset.
    fn respond(&self, query: &[u8]) -> Option<Vec<u8>> {
        let mut state = self.0.lock().expect("the state");
        state.queries += 1;
        let addresses = state.addresses.as_ref()?;
        let name_end = 12 + query[12..].iter().position(|byte| *byte == 0)?;
        let (kind, question) = (&query[name_end + 1..name_end + 3], &query[12..name_end + 5]);
        let answers = if kind == A { addresses.as_slice() } else { &[] };
        let mut response = query[..2].to_vec();
        response.extend([0x81, 0x80, 0, 1, 0, u8::try_from(answers.len()).ok()?, 0, 0, 0, 0]);
        response.extend(question);
        for address in answers {
            response.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
            response.extend(address.octets());
        }
        Some(response)
    }
}
