//! What a snippet asks for, in the words of the settings.

use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use model::{HeaderChange, HeaderEdit, Timeouts};

use super::Place;
use super::directive::{Unread, instead_of};
use super::syntax::Directive;
use crate::annotations::{access, headers, time};
use crate::policy::RouteSettings;

/// The directives of a snippet that are all honoured.
#[derive(Clone, Debug, Default)]
pub(in crate::annotations) struct Meaning {
    /// Fields that endpoints' answers lose first of all (`proxy_hide_header`).
    hidden: Vec<HeaderEdit>,
    /// Edits of answers that come before fields are added (`more_set_headers`).
    changed: Vec<HeaderEdit>,
    /// Fields that are added last (`add_header`).
    added: Vec<HeaderEdit>,
    request: Vec<HeaderEdit>,
    /// Networks that are let in or kept out, the first that has the client decides. `None` is all.
    access: Vec<(bool, Option<IpNet>)>,
    timeouts: Timeouts,
    /// Directives that have no effect where they stand.
    pub(super) without_effect: Vec<String>,
}

type Read = Result<(), &'static str>;

const HAS_VARIABLE: &str = "has a variable of nginx";
const BAD_FIELD: &str = "is about a field that is ours to write, or that is none";
const BAD_ARGUMENTS: &str = "has arguments that are not honoured";
const NOT_HONOURED: &str = "is not honoured";

impl Meaning {
    /// That of these directives.
    ///
    /// # Errors
    /// The directives that cannot be honoured, at least one.
    pub(super) fn of(directives: &[Directive], place: Place) -> Result<Meaning, Vec<Unread<'_>>> {
        let (mut meaning, mut unread) = (Meaning::default(), Vec::new());
        for directive in directives {
            if let Err(why) = meaning.add(directive, place) {
                let name = &*directive.name;
                unread.push(Unread { directive: name, why, instead: instead_of(name) });
            }
        }
        if unread.is_empty() && meaning.rules().is_none() {
            let why = "has an order of networks that cannot be said with allowlist-source-range";
            unread.push(Unread { directive: "allow", why, instead: instead_of("allow") });
        }
        let edits = [&meaning.hidden, &meaning.changed, &meaning.added, &meaning.request];
        if !headers::are_few(edits.into_iter().flatten()) {
            let why = "stands beside more edits of fields than one Ingress may have";
            unread.push(Unread { directive: "add_header", why, instead: "write fewer or shorter ones" });
        }
        if unread.is_empty() { Ok(meaning) } else { Err(unread) }
    }

    fn add(&mut self, directive: &Directive, place: Place) -> Read {
        let Directive { name, arguments, block } = directive;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if block.is_some() {
            return Err(NOT_HONOURED);
        }
        match (&**name, &*arguments) {
            ("add_header", [name, value]) => self.add_field(name, value, HeaderChange::AddUnlessError),
            ("add_header", [name, value, "always"]) => self.add_field(name, value, HeaderChange::Add),
            ("more_set_headers", fields) => {
                each(fields, |field| edit(field, headers::response_name, &mut self.changed))
            }
            ("more_clear_headers", names) => {
                each(names, |name| remove(name, headers::response_name, &mut self.changed))
            }
            ("proxy_hide_header" | "grpc_hide_header", [name]) => {
                remove(name, headers::response_name, &mut self.hidden)
            }
            ("more_set_input_headers", fields) => {
                each(fields, |field| edit(field, headers::request_name, &mut self.request))
            }
            ("more_clear_input_headers", names) => {
                each(names, |name| remove(name, headers::request_name, &mut self.request))
            }
            ("proxy_set_header" | "grpc_set_header", [_, _]) if place == Place::Server => {
                self.no_effect(name)
            }
            ("proxy_set_header" | "grpc_set_header", [name, value]) => self.set_request_field(name, value),
            ("allow", ["all"]) => Ok(self.access.push((true, None))),
            ("deny", ["all"]) => Ok(self.access.push((false, None))),
            ("allow" | "deny", [network]) => {
                let network = access::network(network).ok_or(BAD_ARGUMENTS)?;
                Ok(self.access.push((name == "allow", Some(network))))
            }
            (_, _) if place == Place::Server && is_written_for_each_path(name) => self.no_effect(name),
            ("proxy_connect_timeout" | "proxy_read_timeout", [time]) => self.add_timeout(name, time),
            (name, [_, ..]) if has_nothing_to_do(name) => Ok(()),
            _ => Err(NOT_HONOURED),
        }
    }

    fn no_effect(&mut self, name: &str) -> Read {
        self.without_effect.push(name.to_owned());
        Ok(())
    }

    fn add_field(&mut self, name: &str, value: &str, change: fn(Arc<str>) -> HeaderChange) -> Read {
        // nginx adds no empty field.
        if value.is_empty() {
            return Ok(());
        }
        self.added.push(HeaderEdit {
            name: headers::response_name(name).ok_or(BAD_FIELD)?,
            change: change(fixed(value)?),
        });
        Ok(())
    }

    /// A field of what endpoints get. Many that people write say what is so in any case.
    fn set_request_field(&mut self, name: &str, value: &str) -> Read {
        let name = name.to_ascii_lowercase();
        if is_so_already(&name, value) {
            return Ok(());
        }
        let change = match value {
            "" => HeaderChange::Remove,
            value => HeaderChange::Set(fixed(value)?),
        };
        self.request.push(HeaderEdit { name: headers::request_name(&name).ok_or(BAD_FIELD)?, change });
        Ok(())
    }

    fn add_timeout(&mut self, name: &str, raw: &str) -> Read {
        let parsed = time::parse(raw).filter(|time| !time.is_zero() && *time <= time::SILENCE_MAX);
        let parsed = Some(parsed.ok_or(BAD_ARGUMENTS)?);
        match name {
            "proxy_connect_timeout" => self.timeouts.connect = parsed.map(|time| time.min(time::CONNECT_MAX)),
            _ => (self.timeouts.response, self.timeouts.body) = (parsed, parsed),
        }
        Ok(())
    }

    /// The networks that are kept out, and of the others those that alone are let in (all if there are none); `None` if it
    /// cannot be said so.
    fn rules(&self) -> Option<(Vec<IpNet>, Vec<IpNet>)> {
        let (mut deny, mut allow) = (Vec::new(), Vec::new());
        for (is_allowed, network) in &self.access {
            match (is_allowed, network) {
                (true, None) => return Some((deny, Vec::new())),
                (false, None) if allow.is_empty() => {
                    return Some((vec![Ipv4Net::default().into(), Ipv6Net::default().into()], allow));
                }
                (false, None) => return Some((deny, allow)),
                (true, Some(network)) => allow.push(*network),
                (false, Some(network)) if allow.is_empty() => deny.push(*network),
                (false, Some(_)) => return None,
            }
        }
        // Whom no rule is about is let in.
        Some((deny, Vec::new()))
    }

    /// Makes it so for a path.
    pub(super) fn apply(&self, settings: &mut RouteSettings) {
        // Behind a list of those that are let in all others are kept out already.
        if settings.allow.is_empty() {
            self.apply_access(settings);
        }
        settings.request_headers.extend(self.request.iter().cloned());
        let edits = [&self.hidden, &self.changed, &self.added];
        settings.response_headers.extend(edits.into_iter().flatten().cloned());
        let Timeouts { connect, send, response, body, tunnel } = self.timeouts;
        let times = &mut settings.timeouts;
        times.connect = connect.or(times.connect);
        times.response = response.or(times.response);
        times.send = send.or(times.send);
        times.body = body.or(times.body);
        times.tunnel = tunnel.or(times.tunnel);
    }

    /// Makes it so for a host, for whose path these settings are: what is written for a path comes after it, and rules for
    /// addresses and added fields take the place of its own.
    pub(super) fn apply_to_host(&self, settings: &mut RouteSettings) {
        if settings.allow.is_empty() && settings.deny.is_empty() {
            self.apply_access(settings);
        }
        let adds = settings.response_headers.iter().any(|edit| edit.change.keeps());
        let added = self.added.iter().filter(|_| !adds);
        let edits = self.hidden.iter().chain(&self.changed).chain(added).cloned();
        settings.response_headers.splice(0..0, edits.collect::<Vec<_>>());
        settings.request_headers.splice(0..0, self.request.iter().cloned());
    }

    fn apply_access(&self, settings: &mut RouteSettings) {
        let (deny, allow) = self.rules().unwrap_or_default();
        settings.deny.extend(deny);
        settings.allow = allow;
    }
}

fn each(all: &[&str], read: impl FnMut(&&str) -> Read) -> Read {
    if all.is_empty() {
        return Err(BAD_ARGUMENTS);
    }
    all.iter().try_for_each(read)
}

/// A field's name in lower case, if it is one that may be edited.
type NameOf = fn(&str) -> Option<Arc<str>>;

/// `NAME: VALUE`; without a value the field goes.
fn edit(field: &str, name_of: NameOf, edits: &mut Vec<HeaderEdit>) -> Read {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    match value.trim() {
        "" => remove(name.trim(), name_of, edits),
        value => {
            let name = name_of(name.trim()).ok_or(BAD_FIELD)?;
            edits.push(HeaderEdit { name, change: HeaderChange::Set(fixed(value)?) });
            Ok(())
        }
    }
}

fn remove(name: &str, name_of: NameOf, edits: &mut Vec<HeaderEdit>) -> Read {
    // headers-more takes many fields away by `X-*`, and has options that begin with a dash.
    if name.contains('*') || name.starts_with('-') {
        return Err(BAD_ARGUMENTS);
    }
    edits.push(HeaderEdit { name: name_of(name).ok_or(BAD_FIELD)?, change: HeaderChange::Remove });
    Ok(())
}

/// A value that is the same for all requests.
fn fixed(value: &str) -> Result<Arc<str>, &'static str> {
    match value {
        value if value.contains('$') => Err(HAS_VARIABLE),
        value if !headers::is_value(value) => Err(BAD_ARGUMENTS),
        value => Ok(value.into()),
    }
}

/// Whether endpoints get this field with this value in any case, or the field is that of a connection that is ours.
fn is_so_already(name: &str, value: &str) -> bool {
    match name {
        "connection" => matches!(value, "upgrade" | "Upgrade" | "$connection_upgrade" | "keep-alive" | ""),
        "host" => matches!(value, "$host" | "$http_host" | "$best_http_host"),
        "upgrade" => value == "$http_upgrade",
        "x-forwarded-for" => value == "$remote_addr",
        "x-forwarded-host" => matches!(value, "$host" | "$http_host" | "$best_http_host"),
        "x-forwarded-port" => matches!(value, "$server_port" | "$pass_port" | "$pass_server_port"),
        "x-forwarded-proto" => matches!(value, "$scheme" | "$pass_access_scheme"),
        "x-real-ip" => value == "$remote_addr",
        "x-request-id" => matches!(value, "$req_id" | "$request_id"),
        _ => false,
    }
}

/// Directives about how nginx handles bodies and connections of its own.
fn has_nothing_to_do(name: &str) -> bool {
    matches!(
        name,
        "chunked_transfer_encoding"
            | "client_body_buffer_size"
            | "client_body_temp_path"
            | "log_not_found"
            | "proxy_buffering"
            | "proxy_buffers"
            | "proxy_busy_buffers_size"
            | "proxy_http_version"
            | "proxy_max_temp_file_size"
            | "proxy_request_buffering"
            | "sendfile"
            | "server_tokens"
            | "tcp_nodelay"
            | "tcp_nopush"
    )
}

/// Directives that ingress-nginx writes for each path, where they count more than those of the host.
fn is_written_for_each_path(name: &str) -> bool {
    matches!(
        name,
        "client_max_body_size"
            | "proxy_buffer_size"
            | "proxy_buffering"
            | "proxy_buffers"
            | "proxy_connect_timeout"
            | "proxy_cookie_domain"
            | "proxy_cookie_path"
            | "proxy_http_version"
            | "proxy_next_upstream"
            | "proxy_next_upstream_timeout"
            | "proxy_next_upstream_tries"
            | "proxy_read_timeout"
            | "proxy_redirect"
            | "proxy_request_buffering"
            | "proxy_send_timeout"
    )
}
