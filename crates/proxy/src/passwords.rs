//! Whether a password is the right one, on one worker.
//!
//! A hash that is meant to be slow takes a tenth of a second of a core: as much as thousands of requests. So it is computed on
//! another thread, one at a time for each worker, and what came of it is remembered: of a request with credentials that were
//! seen before it costs one short keyed hash. What is remembered is neither a password nor anything that a password could be
//! found from without the key, which never leaves the worker; since the key covers the stored hash, a changed Secret is never
//! answered from memory.
//!
//! Owns: what was verified, and what waits for it. Never: who has which password, which is the route's.

mod des_crypt;
mod md5_crypt;
mod verify;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::rc::Rc;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::SystemRandom;
use foldhash::fast::RandomState;
use model::PasswordHash;
use tokio::sync::{Notify, Semaphore};

use crate::error::Refusal;

/// Most credentials that are remembered as right; 32 bytes each. More users than one worker sees between two changes.
const RIGHT_MAX: usize = 8192;
/// Most that are remembered as wrong, apart from the others so that guesses never push them out: clients that try the same again
/// and again.
const WRONG_MAX: usize = 1024;
/// Most credentials that wait for being verified: at a tenth of a second each, those behind them would wait for too long.
const WAITING_MAX: usize = 64;
/// Most of them from one address: one that guesses must leave places to others.
const WAITING_PER_CLIENT_MAX: usize = 4;

/// Tells credentials apart.
type Print = [u8; 32];

type Prints = HashSet<Print, RandomState>;

/// What one worker knows of passwords.
pub(crate) struct Passwords {
    key: hmac::Key,
    right: RefCell<Prints>,
    wrong: RefCell<Prints>,
    /// Those that are being verified, and what tells of the end of that.
    pending: RefCell<HashMap<Print, Rc<Notify>, RandomState>>,
    /// The address of each that waits.
    waiting: RefCell<Vec<IpAddr>>,
    turn: Semaphore,
    verified: Cell<u64>,
}

/// A password that may be that of a hash.
pub(crate) struct Login {
    print: Print,
    password: Vec<u8>,
    hash: PasswordHash,
}

impl Passwords {
    pub(crate) fn new() -> Passwords {
        let key = hmac::Key::generate(HMAC_SHA256, &SystemRandom::new());
        Passwords {
            // Without random numbers nothing else would work either, TLS least of all.
            key: key.unwrap_or_else(|_| hmac::Key::new(HMAC_SHA256, &fastrand::u128(..).to_ne_bytes())),
            right: RefCell::default(),
            wrong: RefCell::default(),
            pending: RefCell::default(),
            waiting: RefCell::default(),
            turn: Semaphore::new(1),
            verified: Cell::new(0),
        }
    }

    /// Whether the password is right, if that can be said at once; else what is to be [verified](Passwords::verify).
    pub(crate) fn look(&self, password: &[u8], hash: &PasswordHash) -> Result<bool, Box<Login>> {
        if hash.is_quick() {
            return Ok(verify::is_right(password, hash));
        }
        let print = self.print(password, hash);
        let login = || Box::new(Login { print, password: password.to_vec(), hash: hash.clone() });
        self.known(&print).ok_or_else(login)
    }

    /// Whether the password is right, once another thread has found out.
    ///
    /// # Errors
    /// [`Refusal::Passwords`]: too many wait, of this client or at all.
    pub(crate) async fn verify(&self, login: Login, client: IpAddr) -> Result<bool, Refusal> {
        loop {
            if let Some(known) = self.known(&login.print) {
                return Ok(known);
            }
            let Some(others) = self.pending.borrow().get(&login.print).cloned() else { break };
            others.notified().await;
        }
        let _place = self.wait(client)?;
        let _pending = self.begin(login.print);
        let _turn = self.turn.acquire().await.map_err(|_| Refusal::Passwords)?;
        let Login { print, password, hash } = login;
        let verified = tokio::task::spawn_blocking(move || verify::is_right(&password, &hash));
        let is_right = verified.await.map_err(|_| Refusal::Passwords)?;
        self.verified.set(self.verified.get() + 1);
        match is_right {
            true => remember(&self.right, print, RIGHT_MAX),
            false => remember(&self.wrong, print, WRONG_MAX),
        }
        Ok(is_right)
    }

    fn known(&self, print: &Print) -> Option<bool> {
        if self.right.borrow().contains(print) {
            return Some(true);
        }
        self.wrong.borrow().contains(print).then_some(false)
    }

    /// The length keeps the two apart.
    fn print(&self, password: &[u8], hash: &PasswordHash) -> Print {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&hash.text.len().to_le_bytes());
        context.update(hash.text.as_bytes());
        context.update(password);
        let mut print = Print::default();
        print.copy_from_slice(context.sign().as_ref());
        print
    }

    /// A place among those that wait, until it is dropped.
    fn wait(&self, client: IpAddr) -> Result<impl Drop + use<'_>, Refusal> {
        let mut waiting = self.waiting.borrow_mut();
        let of_client = waiting.iter().filter(|other| **other == client).count();
        if waiting.len() >= WAITING_MAX || of_client >= WAITING_PER_CLIENT_MAX {
            return Err(Refusal::Passwords);
        }
        waiting.push(client);
        Ok(AtEnd(move || {
            let mut waiting = self.waiting.borrow_mut();
            if let Some(place) = waiting.iter().position(|other| *other == client) {
                waiting.swap_remove(place);
            }
        }))
    }

    /// Tells others with the same credentials to wait, until what is returned is dropped.
    fn begin(&self, print: Print) -> impl Drop + use<'_> {
        self.pending.borrow_mut().insert(print, Rc::default());
        AtEnd(move || {
            if let Some(others) = self.pending.borrow_mut().remove(&print) {
                others.notify_waiters();
            }
        })
    }
}

/// Does something when it is dropped.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn remember(prints: &RefCell<Prints>, print: Print, max: usize) {
    let mut prints = prints.borrow_mut();
    if prints.len() >= max
        && let Some(other) = prints.iter().next().copied()
    {
        prints.remove(&other);
    }
    prints.insert(print);
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// A cost of 4 is the least that bcrypt has: a millisecond.
    const HASH: &str = "$2y$04$2CsnFAbNl0ZpZqdI1d0EuO0x1W7Yl0Gc0E9N7kS1b0JwSPgVyaGhW";

    fn client(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    fn login(passwords: &Passwords, password: &[u8]) -> Login {
        let hash = PasswordHash::read(HASH).expect("a hash");
        *passwords.look(password, &hash).expect_err("not known")
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
    }

    #[test]
    fn what_was_verified_once_is_known_and_equal_credentials_are_verified_once() {
        let passwords = Passwords::new();
        let logins: Vec<Login> = (0..100).map(|_| login(&passwords, b"wrong")).collect();
        block_on(async {
            let all = logins.into_iter().map(|login| passwords.verify(login, client(1)));
            for answer in all_of(all).await {
                assert_eq!(answer, Ok(false));
            }
        });
        assert_eq!(passwords.verified.get(), 1);
        let hash = PasswordHash::read(HASH).expect("a hash");
        assert_eq!(passwords.look(b"wrong", &hash).ok(), Some(false));
        assert!(passwords.pending.borrow().is_empty() && passwords.waiting.borrow().is_empty());
    }

    #[test]
    fn one_client_cannot_take_the_places_of_others_and_all_have_an_end() {
        let passwords = Passwords::new();
        let mut held = Vec::new();
        for _ in 0..WAITING_PER_CLIENT_MAX {
            held.push(passwords.wait(client(1)).unwrap_or_else(|_| panic!("a place")));
        }
        assert_eq!(passwords.wait(client(1)).err(), Some(Refusal::Passwords));
        for at in WAITING_PER_CLIENT_MAX..WAITING_MAX {
            held.push(passwords.wait(client(at as u8)).unwrap_or_else(|_| panic!("a place")));
        }
        assert_eq!(passwords.wait(client(200)).err(), Some(Refusal::Passwords));
        held.clear();
        assert!(passwords.wait(client(1)).is_ok());
    }

    #[test]
    fn what_is_remembered_has_a_limit() {
        let prints = RefCell::default();
        for at in 0..20_u8 {
            remember(&prints, [at; 32], 5);
        }
        assert_eq!(prints.borrow().len(), 5);
        assert!(prints.borrow().contains(&[19; 32]));
    }

    /// All answers, in the order of the futures.
    async fn all_of<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
        let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
        std::future::poll_fn(|cx| {
            for (future, answer) in &mut futures {
                if answer.is_none()
                    && let std::task::Poll::Ready(ready) = future.as_mut().poll(cx)
                {
                    *answer = Some(ready);
                }
            }
            if futures.iter().all(|(_, answer)| answer.is_some()) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        futures.into_iter().filter_map(|(_, answer)| answer).collect()
    }
}
