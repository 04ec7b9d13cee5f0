use super::*;

const NOW: u64 = 1_800_000_000;

fn key(byte: u8) -> TicketKey {
    TicketKey::new(&[byte; 32]).expect("a key")
}

fn sealed(byte: u8) -> Vec<u8> {
    seal(&key(byte), b"session", NOW).expect("a ticket")
}

#[test]
fn a_ticket_is_opened_by_its_key_in_any_process() {
    assert_eq!(open(&[key(2), key(1)], &sealed(1), NOW).as_deref(), Some(&b"session"[..]));
    assert_eq!(open(&[key(2)], &sealed(1), NOW), None);
    assert_ne!(sealed(1), sealed(1), "each has its own nonce");
}

#[test]
fn a_ticket_is_good_for_half_a_day_whatever_becomes_of_its_key() {
    let opens = |now| open(&[key(1)], &sealed(1), now).is_some();
    let end = NOW + u64::from(LIFETIME_SECONDS);
    assert!(opens(end) && !opens(end + 1));
    assert!(opens(NOW - CLOCK_SKEW_SECONDS), "another replica's clock is ahead");
    assert!(!opens(NOW - CLOCK_SKEW_SECONDS - 1) && !opens(0));
}

#[test]
fn a_ticket_that_was_changed_is_none() {
    let ticket = sealed(1);
    for at in 0..ticket.len() {
        let mut changed = ticket.clone();
        changed[at] ^= 1;
        assert_eq!(open(&[key(1)], &changed, NOW), None, "byte {at}");
        assert_eq!(open(&[key(1)], &ticket[..at], NOW), None, "cut at {at}");
    }
    assert_eq!(open(&[key(1)], &[&ticket[..], b"x"].concat(), NOW), None);
    // A sealed text too short for its time cannot be ours.
    let short = key(1).seal(b"x".to_vec()).expect("sealed");
    assert_eq!(open(&[key(1)], &short, NOW), None);
}

#[test]
fn a_session_too_large_for_a_ticket_gets_none() {
    assert_eq!(seal(&key(1), &[0; TICKET_BYTES_MAX], NOW), None);
    assert_eq!(open(&[key(1)], &[0; TICKET_BYTES_MAX + 1], NOW), None);
}

#[test]
fn neither_keys_nor_tickets_show_in_a_log() {
    let tickets = Tickets::default();
    tickets.share([key(1)]);
    assert_eq!(format!("{tickets:?} {:?}", key(1)), "Tickets { shared: true, .. } TicketKey");
}
