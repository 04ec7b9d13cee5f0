//! What nginx counts, a flood, and workers that count at the same time.

use std::iter;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::*;

const SECOND: u64 = 100_000;

fn rate(every_millis: u64, burst: u32) -> RateLimit {
    RateLimit { every: Duration::from_millis(every_millis), burst }
}

fn key(limiter: &Limiter, client: u32) -> Key {
    limiter.key(&ObjectRef::new("Ingress", "shop", "web"), 0, Ipv4Addr::from_bits(client).into())
}

fn admitted(limiter: &Limiter, now: u64, client: u32, limit: RateLimit, times: usize) -> usize {
    let key = key(limiter, client);
    (0..times).filter(|_| limiter.admit_at(now, iter::once((key, limit)))).count()
}

#[test]
fn a_burst_and_one_are_served_at_once_and_then_as_many_as_the_rate_says() {
    let (limiter, limit) = (Limiter::new(), rate(200, 5));
    assert_eq!(admitted(&limiter, SECOND, 1, limit, 20), 6);
    assert_eq!(admitted(&limiter, SECOND + SECOND / 5 - 1, 1, limit, 20), 0);
    assert_eq!(admitted(&limiter, SECOND + SECOND / 5, 1, limit, 20), 1);
    assert_eq!(admitted(&limiter, 2 * SECOND, 1, limit, 20), 4);
    assert_eq!(admitted(&limiter, 2 * SECOND, 2, limit, 20), 6, "another client");
    // The one that finds it empty does not fill it.
    assert_eq!(admitted(&limiter, 10 * SECOND, 1, limit, 20), 6);
    assert_eq!(admitted(&limiter, 10 * SECOND, 3, rate(200, 0), 20), 1);
}

#[test]
fn what_one_limit_refuses_another_does_not_count() {
    let limiter = Limiter::new();
    let (first, second) = (key(&limiter, 1), key(&limiter, 2));
    let both = || [(first, rate(1000, 9)), (second, rate(1000, 1))].into_iter();
    assert_eq!((0..9).filter(|_| limiter.admit_at(SECOND, both())).count(), 2);
    assert_eq!((0..20).filter(|_| limiter.admit_at(SECOND, iter::once((first, rate(1000, 9))))).count(), 8);
}

#[test]
fn a_flood_of_addresses_frees_no_client_that_is_held_back_and_holds_back_no_other() {
    let (limiter, limit) = (Limiter::new(), rate(1000, 5));
    for client in 0..100 {
        assert_eq!(admitted(&limiter, SECOND, client, limit, 9), 6);
    }
    for client in 1000..1_001_000 {
        assert!(admitted(&limiter, SECOND, client, limit, 1) == 1, "{client}");
    }
    let freed: usize = (0..100).map(|client| admitted(&limiter, SECOND, client, limit, 1)).sum();
    assert_eq!(freed, 0);
}

#[test]
fn no_more_requests_of_a_client_are_in_flight_than_may_be_whoever_counts_them() {
    let limiter = Limiter::new();
    let most = NonZeroU32::new(3).unwrap();
    let (one, other) = (key(&limiter, 1), key(&limiter, 2));
    let places: Vec<_> = (0..3).map(|_| limiter.begin(one, most).unwrap().unwrap()).collect();
    assert!(limiter.begin(one, most).is_err() && limiter.begin(other, most).is_ok());
    limiter.end(places[0]);
    assert!(limiter.begin(one, most).is_ok() && limiter.begin(one, most).is_err());
}

#[test]
fn workers_that_count_one_client_at_the_same_time_let_no_more_in() {
    for round in 0..50 {
        let (limiter, most) = (Limiter::new(), NonZeroU32::new(7).unwrap());
        let (key, limit) = (key(&limiter, round), rate(60_000, 9));
        let count = || {
            let within = (0..20).filter(|_| limiter.admit_at(SECOND, iter::once((key, limit)))).count();
            (within, (0..20).filter_map(|_| limiter.begin(key, most).ok()?).count())
        };
        let counted = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
        });
        let (within, in_flight) = counted.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        // Two that are the first at the same time may both find the bucket empty.
        assert!((10..=13).contains(&within), "{within}");
        assert!(in_flight <= 7, "{in_flight}");
    }
}
