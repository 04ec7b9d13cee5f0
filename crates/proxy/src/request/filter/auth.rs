//! What a request must have: a password, another server's word, or one of several.
//!
//! What can be decided at once is decided in [`admit`]: without credentials, with ones that were seen before, or where an
//! address is enough. What has to wait for something is an [`Awaited`], which [`wait`] waits for before the request is sent
//! anywhere. Order and outcome are those of nginx' access phase: addresses, password, other server.

mod ask;
mod question;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use model::{Auth, ExternalAuth, Filters, PasswordAuth};

use self::ask::{Word, ask};
use self::question::Question;
use super::super::attempts::Attempts;
use super::Asked;
use super::headers;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::passwords::Login;
use crate::respond::{Answer, NotSent};

/// Base64 with its padding or without, as clients write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The answers of endpoints to which cookies of the other server are added, unless all are wanted: nginx' `add_header`.
const WITH_COOKIES: [u16; 10] = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308];

/// What a request waits for before it is sent.
pub(in crate::request) struct Awaited {
    login: Option<Box<Login>>,
    question: Option<Question>,
    /// The outcome of what is decided already, where one of several is enough.
    refused: Option<StatusCode>,
    /// The password is not the right one.
    is_wrong: bool,
    /// Where the client goes that has to log in.
    sign_in: Option<HeaderValue>,
    /// What the other server wants the client to keep.
    cookies: Vec<HeaderValue>,
    always_set_cookie: bool,
}

/// What is known of a request's password.
enum Password {
    Right,
    Wrong,
    Unknown(Box<Login>),
}

/// Whether the request may be sent; or what it has to wait for.
pub(super) fn admit<B>(auth: &Auth, asked: &Asked<'_, B>) -> Result<Option<Box<Awaited>>, NotSent> {
    let (is_any, head) = (auth.any.is_some(), asked.facts.request.headers());
    let (mut refused, mut is_wrong) = (None, false);
    if let Some(rules) = &auth.any {
        match asked.exchange.client_address(head).map_or(Some(false), |client| rules.says(client)) {
            Some(true) => return Ok(None),
            Some(false) => refused = Some(StatusCode::FORBIDDEN),
            None => {}
        }
    }
    let sign_in = auth.external.as_ref().and_then(|external| external.sign_in.as_ref());
    let sign_in =
        sign_in.map(|to| asked.variables().fill_value(to).ok_or(Refusal::AuthServer)).transpose()?;
    let mut login = None;
    if let Some(password) = &auth.password {
        match look(password, head, asked.exchange) {
            Password::Right if is_any => return Ok(None),
            Password::Right => {}
            Password::Wrong if is_any => (refused, is_wrong) = (Some(StatusCode::UNAUTHORIZED), true),
            Password::Wrong => return Err(unauthorized(auth, sign_in, basic(auth), Vec::new())),
            Password::Unknown(unknown) => login = Some(unknown),
        }
    }
    let question = match &auth.external {
        Some(external) => Some(Question::new(external, asked)?),
        None => None,
    };
    if login.is_none() && question.is_none() {
        return match refused {
            Some(StatusCode::UNAUTHORIZED) => Err(unauthorized(auth, sign_in, basic(auth), Vec::new())),
            Some(_) => Err(Refusal::Address.into()),
            None => Ok(None),
        };
    }
    let always_set_cookie = auth.external.as_ref().is_some_and(|external| external.always_set_cookie);
    Ok(Some(Box::new(Awaited {
        login,
        question,
        refused,
        is_wrong,
        sign_in,
        cookies: Vec::new(),
        always_set_cookie,
    })))
}

/// Takes from a request what its endpoint must not see, or must not believe the client.
pub(super) fn edit_request(auth: &Auth, head: &mut HeaderMap) {
    if auth.password.is_some() {
        head.remove(header::AUTHORIZATION);
    }
    for name in auth.external.iter().flat_map(|external| external.response_headers.iter()) {
        headers::remove_all_spellings(name, head);
        head.remove(&**name);
    }
}

/// Waits until it is known whether the request may be sent, and makes it ready for that.
///
/// # Errors
/// What its client is answered.
pub(in crate::request) async fn wait(
    exchange: &Exchange,
    attempts: &mut Attempts,
    awaited: &mut Awaited,
) -> Result<(), NotSent> {
    let auth = exchange.filters().and_then(Filters::auth).ok_or(Refusal::Denied)?;
    let is_any = auth.any.is_some();
    if let Some(login) = awaited.login.take() {
        let carrier = &exchange.carrier;
        let is_right = carrier.worker().passwords.verify(*login, carrier.client().peer().ip()).await?;
        match is_right {
            true if is_any => return Ok(()),
            true => {}
            false if is_any => (awaited.refused, awaited.is_wrong) = (Some(StatusCode::UNAUTHORIZED), true),
            false => return Err(unauthorized(auth, awaited.sign_in.take(), basic(auth), Vec::new())),
        }
    }
    let (Some(question), Some(external)) = (awaited.question.take(), &auth.external) else {
        return refusal_of(auth, awaited, Vec::new());
    };
    match ask(exchange, question, Some(attempts.head())).await? {
        Word::Yes(answer) => {
            awaited.cookies = all(&answer, header::SET_COOKIE);
            attempts.edit_head(|head| give(external, &answer, head));
            Ok(())
        }
        Word::No(status, answer) => {
            awaited.cookies = all(&answer, header::SET_COOKIE);
            if awaited.refused != Some(StatusCode::UNAUTHORIZED) {
                awaited.refused = Some(status);
            }
            refusal_of(auth, awaited, all(&answer, header::WWW_AUTHENTICATE))
        }
    }
}

impl Awaited {
    /// Adds the other server's cookies to an endpoint's answer.
    pub(in crate::request) fn add_cookies<B>(&self, answer: &mut Response<B>) {
        if self.always_set_cookie || WITH_COOKIES.contains(&answer.status().as_u16()) {
            for cookie in &self.cookies {
                answer.headers_mut().append(header::SET_COOKIE, cookie.clone());
            }
        }
    }
}

/// What the request comes to once nothing more is waited for.
fn refusal_of(auth: &Auth, awaited: &mut Awaited, challenges: Vec<HeaderValue>) -> Result<(), NotSent> {
    let cookies = std::mem::take(&mut awaited.cookies);
    match awaited.refused {
        None => Ok(()),
        Some(StatusCode::UNAUTHORIZED) => {
            let of_password = if awaited.is_wrong { basic(auth) } else { Vec::new() };
            let challenges = of_password.into_iter().chain(challenges).collect();
            Err(unauthorized(auth, awaited.sign_in.take(), challenges, cookies))
        }
        Some(status) => {
            let mut head = HeaderMap::new();
            if awaited.always_set_cookie {
                set_all(&mut head, header::SET_COOKIE, cookies);
            }
            Err(Answer::plain(status, head).into())
        }
    }
}

/// Asks the client to log in.
fn unauthorized(
    auth: &Auth,
    sign_in: Option<HeaderValue>,
    challenges: Vec<HeaderValue>,
    cookies: Vec<HeaderValue>,
) -> NotSent {
    let mut head = HeaderMap::new();
    set_all(&mut head, header::WWW_AUTHENTICATE, challenges);
    let always = auth.external.as_ref().is_some_and(|external| external.always_set_cookie);
    if always || sign_in.is_some() {
        set_all(&mut head, header::SET_COOKIE, cookies);
    }
    let Some(location) = sign_in else { return Answer::plain(StatusCode::UNAUTHORIZED, head).into() };
    head.insert(header::LOCATION, location);
    Answer::plain(StatusCode::FOUND, head).into()
}

/// Asks for a password.
fn basic(auth: &Auth) -> Vec<HeaderValue> {
    let realm = auth.password.as_ref().map(|PasswordAuth { realm, .. }| format!("Basic realm=\"{realm}\""));
    realm.and_then(|challenge| HeaderValue::from_str(&challenge).ok()).into_iter().collect()
}

fn set_all(head: &mut HeaderMap, name: HeaderName, values: Vec<HeaderValue>) {
    for value in values {
        head.append(&name, value);
    }
}

fn all(head: &HeaderMap, name: HeaderName) -> Vec<HeaderValue> {
    head.get_all(name).iter().cloned().collect()
}

/// Gives an endpoint what the other server says of the client.
fn give(external: &ExternalAuth, answer: &HeaderMap, head: &mut HeaderMap) {
    for name in &*external.response_headers {
        let values: Vec<&[u8]> = answer.get_all(&**name).iter().map(HeaderValue::as_bytes).collect();
        let value = HeaderValue::from_bytes(&values.join(&b", "[..])).ok().filter(|value| !value.is_empty());
        if let (Some(value), Ok(name)) = (value, HeaderName::from_bytes(name.as_bytes())) {
            head.insert(name, value);
        }
    }
}

/// What is known of the password that the client sends (RFC 7617).
fn look(asked: &PasswordAuth, head: &HeaderMap, exchange: &Exchange) -> Password {
    let Some(credentials) = head.get(header::AUTHORIZATION).and_then(credentials) else {
        return Password::Wrong;
    };
    let Some(colon) = credentials.iter().position(|b| *b == b':') else { return Password::Wrong };
    let (user, password) = (&credentials[..colon], &credentials[colon + 1..]);
    let Some(hash) = asked.users.find(user) else { return Password::Wrong };
    match exchange.carrier.worker().passwords.look(password, hash) {
        Ok(true) => Password::Right,
        Ok(false) => Password::Wrong,
        Err(login) => Password::Unknown(login),
    }
}

fn credentials(field: &HeaderValue) -> Option<Vec<u8>> {
    let (scheme, encoded) = field.as_bytes().split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    BASE64.decode(encoded.trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_as_clients_write_them() {
        for (field, read) in [
            ("Basic YTpi", Some("a:b")),
            ("basic  YTpi ", Some("a:b")),
            ("Basic YTpiYg==", Some("a:bb")),
            ("Basic YTpiYg", Some("a:bb")),
            ("Basic", None),
            ("Basic !", None),
            ("Bearer YTpi", None),
            ("", None),
        ] {
            let field = HeaderValue::from_static(field);
            assert_eq!(credentials(&field).as_deref(), read.map(str::as_bytes), "{field:?}");
        }
    }
}
