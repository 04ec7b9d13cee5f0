//! What a snippet asks for, in the words of the settings.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use model::{FieldText, HeaderChange, HeaderEdit};

use super::Place;
use super::directive::{Unread, annotation_of, has_nothing_to_do, instead_of, is_written_for_each_path};
use super::field::{edit, is_so_already, remove, text};
use super::syntax::Directive;
use crate::annotations::{Annotation, access, headers, nginx, time};
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
    /// Whether no client is let in, whatever rules for addresses there are.
    refuses: bool,
    /// What annotations say in other words: the name of each, and its value.
    asked: Vec<(&'static str, String)>,
    /// The status by which clients are sent to https, wherever the certificate is.
    https: Option<u16>,
    /// Directives that have no effect where they stand.
    pub(super) without_effect: Vec<String>,
}

pub(super) type Read = Result<(), &'static str>;

pub(super) const HAS_VARIABLE: &str = "has a variable of nginx that is not known here";
pub(super) const BAD_FIELD: &str = "is about a field that is ours to write, or that is none";
pub(super) const BAD_ARGUMENTS: &str = "has arguments that are not honoured";
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
        if let Some(block) = block {
            self.https = Some(to_https(name, &arguments, block).ok_or(NOT_HONOURED)?);
            return Ok(());
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
            ("allow", ["all"]) => self.add_rule(true, None),
            ("deny", ["all"]) => self.add_rule(false, None),
            ("allow" | "deny", [network]) => {
                let network = access::network(network).ok_or(BAD_ARGUMENTS)?;
                self.add_rule(name == "allow", Some(network))
            }
            (_, _) if place == Place::Server && is_written_for_each_path(name) => self.no_effect(name),
            ("proxy_connect_timeout" | "proxy_next_upstream_timeout", [time])
            | ("proxy_read_timeout" | "proxy_send_timeout", [time]) => {
                let time = time::parse(time).ok_or(BAD_ARGUMENTS)?;
                self.ask(name, time.as_secs().to_string())
            }
            ("return", ["403"]) => {
                self.refuses = true;
                Ok(())
            }
            ("return", [code @ ("301" | "302" | "303" | "307" | "308"), url]) => {
                self.ask("permanent_redirect_code", (*code).to_owned())?;
                self.ask("permanent_redirect", (*url).to_owned())
            }
            ("access_log", ["off"]) => self.ask("enable_access_log", "false".to_owned()),
            (name, [_, ..]) if annotation_of(name).is_some() => self.ask(name, arguments.join(" ")),
            (name, [_, ..]) if has_nothing_to_do(name) => Ok(()),
            _ => Err(NOT_HONOURED),
        }
    }

    fn add_rule(&mut self, is_allowed: bool, network: Option<IpNet>) -> Read {
        self.access.push((is_allowed, network));
        Ok(())
    }

    fn no_effect(&mut self, name: &str) -> Read {
        self.without_effect.push(name.to_owned());
        Ok(())
    }

    fn add_field(&mut self, name: &str, value: &str, change: fn(FieldText) -> HeaderChange) -> Read {
        // nginx adds no empty field.
        if value.is_empty() {
            return Ok(());
        }
        self.added.push(HeaderEdit {
            name: headers::response_name(name).ok_or(BAD_FIELD)?,
            change: change(text(value)?),
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
            value => HeaderChange::Set(text(value)?),
        };
        self.request.push(HeaderEdit { name: headers::request_name(&name).ok_or(BAD_FIELD)?, change });
        Ok(())
    }

    /// What an annotation says, if it can be read.
    fn ask(&mut self, directive: &str, value: String) -> Read {
        let word = annotation_of(directive).ok_or(NOT_HONOURED)?;
        let reader = nginx::reader(word).ok_or(NOT_HONOURED)?;
        let annotation = Annotation { name: word, value: &value, namespace: "" };
        reader(&annotation, &mut RouteSettings::default()).map_err(|_| BAD_ARGUMENTS)?;
        self.asked.push((word, value));
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
                    return Some((all().into(), allow));
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
        self.apply_asked(settings);
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
        self.apply_asked(settings);
    }

    /// The same behind what another snippet says of the host: where that has no list of those that are let in, which ends all,
    /// the rules of both hold.
    pub(super) fn apply_behind(&self, settings: &mut RouteSettings) {
        let deny = std::mem::take(&mut settings.deny);
        self.apply_to_host(settings);
        settings.deny.extend(deny);
    }

    fn apply_asked(&self, settings: &mut RouteSettings) {
        if self.refuses {
            settings.deny.extend(all());
        }
        for (word, value) in &self.asked {
            let annotation = Annotation { name: word, value, namespace: "" };
            // It could be read before.
            let _ = nginx::reader(word).map(|reader| reader(&annotation, settings));
        }
        if let Some(status) = self.https {
            let redirect = &mut settings.redirect;
            (redirect.force_https, redirect.drop_trailing_slash, redirect.status) = (true, false, status);
        }
    }

    fn apply_access(&self, settings: &mut RouteSettings) {
        let (deny, allow) = self.rules().unwrap_or_default();
        settings.deny.extend(deny);
        settings.allow = allow;
    }
}

/// The status of `if ($scheme = http) { return 301 https://$host$request_uri; }`, the one condition that is read.
fn to_https(name: &str, arguments: &[&str], block: &[Directive]) -> Option<u16> {
    let condition: String = arguments.concat().replace(['(', ')', ' '], "");
    let is_plain = matches!(
        &*condition,
        "$scheme=http"
            | "$scheme!=https"
            | "$pass_access_scheme=http"
            | "$pass_access_scheme!=https"
            | "$http_x_forwarded_proto=http"
            | "$http_x_forwarded_proto!=https"
    );
    let [Directive { name: inner, arguments, block: None }] = block else { return None };
    let [status, to] = &**arguments else { return None };
    let host = to.strip_prefix("https://")?.strip_suffix("$request_uri")?;
    let is_same = matches!(host, "$host" | "$http_host" | "$best_http_host" | "$server_name");
    let status = status.parse().ok().filter(|status| matches!(status, 301 | 302 | 307 | 308))?;
    (name == "if" && inner == "return" && is_plain && is_same).then_some(status)
}

/// The networks of all clients.
fn all() -> [IpNet; 2] {
    [Ipv4Net::default().into(), Ipv6Net::default().into()]
}

fn each(all: &[&str], read: impl FnMut(&&str) -> Read) -> Read {
    if all.is_empty() {
        return Err(BAD_ARGUMENTS);
    }
    all.iter().try_for_each(read)
}
