//! Our own dialect.

use model::{Balance, ProxyHeader};

use super::wanted::Wanted;
use crate::problems::Fault;
use crate::reasons;

pub(super) const PREFIX: &str = "sluicegate.io/";
/// The Secret with the authorities that vouch for endpoints (`ca.crt`), the certificate that they are shown (`tls.crt`,
/// `tls.key`), or both.
pub(super) const SECRET: &str = "sluicegate.io/backend-tls-secret";
/// All of them, without their prefix.
const KNOWN: [&str; 6] = [
    "backend-protocol",
    "backend-proxy-protocol",
    "backend-tls-name",
    "backend-tls-secret",
    "backend-tls-verify",
    "load-balance",
];

pub(super) fn read(name: &str, value: &str, wanted: &mut Wanted) -> Result<(), Fault> {
    let whole = format!("{PREFIX}{name}");
    match name {
        "backend-protocol" => wanted.read_protocol(&whole, value),
        "backend-tls-secret" => wanted.read_secret(&whole, value),
        "backend-tls-verify" => wanted.read_verify(&whole, value),
        "backend-tls-name" => {
            wanted.transport.tls.send_name = true;
            wanted.read_server_name(&whole, value)
        }
        "backend-proxy-protocol" => read_proxy_header(&whole, value, wanted),
        "load-balance" => read_balance(&whole, value, wanted),
        _ => {
            let known = KNOWN.map(|known| format!("{PREFIX}{known}")).join(", ");
            Err(Fault::warning(
                reasons::UNKNOWN_ANNOTATION,
                format!("{whole} is not known and has no effect"),
                format!("use one of {known}, or remove it"),
            ))
        }
    }
}

/// The version of the PROXY header that endpoints get.
fn read_proxy_header(name: &str, value: &str, wanted: &mut Wanted) -> Result<(), Fault> {
    let known = ProxyHeader::ALL.into_iter().find(|known| known.as_str() == value);
    let Some(header) = known else {
        let message = format!("{name} cannot be {value:?}; endpoints get no PROXY header");
        return Err(Fault::error(reasons::INVALID_ANNOTATION, message, "write v1 or v2"));
    };
    wanted.transport.proxy_header = Some(header);
    Ok(())
}

/// How endpoints share requests.
fn read_balance(name: &str, value: &str, wanted: &mut Wanted) -> Result<(), Fault> {
    wanted.policy.balance = match value {
        "least-request" => Balance::LeastRequest,
        "round-robin" => Balance::RoundRobin,
        _ => {
            let applies = wanted.policy.balance.as_str();
            let message = format!("{name} cannot be {value:?}; {applies} applies");
            return Err(Fault::error(
                reasons::INVALID_ANNOTATION,
                message,
                "write least-request or round-robin",
            ));
        }
    };
    Ok(())
}
