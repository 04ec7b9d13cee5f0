//! What ingress-nginx writes for nginx, as far as it concerns what endpoints are told; what it does in Lua stands here as maps.

use std::net::SocketAddr;

/// In what the settings differ.
#[derive(Clone, Copy)]
pub(super) struct Config {
    /// Clients are believed scheme, port and host.
    pub(super) believes: bool,
    /// The chain of addresses is told.
    pub(super) chain: bool,
    /// The field in which addresses are told, if they are believed.
    pub(super) real_ip: &'static str,
    pub(super) real_ip_from: &'static str,
    pub(super) original_for: &'static str,
    pub(super) request_id: &'static str,
    pub(super) names: &'static str,
    pub(super) more: &'static str,
}

impl Config {
    pub(super) const DEFAULT: Config = Config {
        believes: false,
        chain: false,
        real_ip: "",
        real_ip_from: "set_real_ip_from 0.0.0.0/0;",
        original_for: "$http_x_forwarded_for",
        request_id: "$request_id",
        names: "",
        more: "",
    };
}

/// The servers of such an nginx. It listens on a socket, so its peer is believed by that, and its port is none.
pub(super) fn servers(config: &Config, upstream: SocketAddr) -> String {
    let Config { believes, chain, real_ip, real_ip_from, original_for, request_id, names, more } = config;
    let told = |field: &'static str| if *believes { field } else { "" };
    let (proto, port) = (told("$http_x_forwarded_proto"), told("$http_x_forwarded_port"));
    let (host, forwarded_for) =
        (told("$http_x_forwarded_host"), if *chain { "$full_x_forwarded_for" } else { "$remote_addr" });
    let real_ip = match *real_ip {
        "" => String::new(),
        field => {
            format!("real_ip_header {field}; real_ip_recursive on; set_real_ip_from unix:; {real_ip_from}")
        }
    };
    format!(
        "{real_ip} {names} server_tokens off;
    map $http_x_request_id $req_id {{ default $http_x_request_id; '' {request_id}; }}
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    map $http_x_forwarded_for $full_x_forwarded_for {{
        default \"$http_x_forwarded_for, $realip_remote_addr\"; '' \"$realip_remote_addr\";
    }}
    map \"{proto}\" $pass_access_scheme {{ default $http_x_forwarded_proto; '' $scheme; }}
    map \"{port}\" $pass_port {{ default $http_x_forwarded_port; '' 80; }}
    map \"{host}\" $best_http_host {{ default $http_host; '~^(?<told>[^,]+)' $told; }}
    server {{
        listen unix:nginx.sock;
        location / {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Host $best_http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Request-ID $req_id;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For {forwarded_for};
            proxy_set_header X-Forwarded-Host $best_http_host;
            proxy_set_header X-Forwarded-Port $pass_port;
            proxy_set_header X-Forwarded-Proto $pass_access_scheme;
            proxy_set_header X-Forwarded-Scheme $pass_access_scheme;
            proxy_set_header X-Scheme $pass_access_scheme;
            proxy_set_header X-Original-Forwarded-For {original_for};
            proxy_set_header X-Original-Forwarded-Host $http_x_forwarded_host;
            proxy_set_header Proxy \"\";
            {more}
        }}
    }}"
    )
}
