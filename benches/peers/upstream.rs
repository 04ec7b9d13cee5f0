//! The upstream: nginx with static responses, the cheapest one there is.

use std::fs;
use std::net::SocketAddr;

use anyhow::Result;
use tempfile::TempDir;
use test_support::Process;

use crate::cores::Cores;
use crate::nginx;
use crate::process;
use crate::proxy::free_address;

/// The running upstream. It shares its core with the load.
pub(crate) struct Upstream {
    _process: Process,
    _folder: TempDir,
    address: SocketAddr,
    cores: Cores,
}

impl Upstream {
    /// Starts it and waits until it answers.
    pub(crate) fn start(cores: Cores) -> Result<Upstream> {
        let (folder, address) = (tempfile::tempdir()?, free_address()?);
        fs::write(folder.path().join("64k"), "x".repeat(64 * 1024))?;
        fs::write(folder.path().join("nginx.conf"), config(address))?;
        let mut process = nginx::spawn("upstream", folder.path(), cores.rest)?;
        process::wait_for_200(&mut process, address, "/1k")?;
        Ok(Upstream { _process: process, _folder: folder, address, cores })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn cores(&self) -> Cores {
        self.cores
    }
}

fn config(address: SocketAddr) -> String {
    let (main, body) = (nginx::MAIN, "x".repeat(1024));
    format!(
        r#"{main}
http {{
    access_log off;
    default_type text/plain;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16;
    keepalive_timeout 300s;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    client_body_buffer_size 128k;
    proxy_temp_path proxy;
    upstream itself {{
        server {address};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {address} backlog=4096;
        location = /1k {{ return 200 {body}; }}
        location = /64k {{ root .; }}
        # `return` would answer before the body is here; a proxy waits for the whole of it.
        location = /post {{
            proxy_pass http://itself/1k;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"#
    )
}
