//! How long the allocator keeps what was freed. By itself jemalloc gives it back over ten seconds, and only in the course of
//! allocations, of which a process that has just become idle has few: what ten thousand connections took would stay.

/// How long memory that was freed is kept for the next need. Under a steady load what one request frees the next one takes,
/// much sooner than that.
#[cfg(feature = "jemalloc")]
const KEPT_MILLIS: isize = 1000;

/// Has the allocator give back by itself what is needed no more, from a thread of its own.
#[cfg(feature = "jemalloc")]
pub(super) fn give_back() {
    use tikv_jemalloc_ctl::{Access, AsName, background_thread, max_background_threads};

    let done = "arenas.dirty_decay_ms\0"
        .name()
        .write(KEPT_MILLIS)
        .and_then(|()| max_background_threads::write(1))
        .and_then(|()| background_thread::write(true));
    each_arena(KEPT_MILLIS);
    if let Err(error) = done {
        tracing::warn!(%error, "the allocator keeps for a while what is needed no more");
    }
}

/// Gives the kernel back now what the allocator keeps for later.
#[cfg(feature = "jemalloc")]
pub(super) fn purge() {
    // At once, and then as it was.
    each_arena(0);
    each_arena(KEPT_MILLIS);
}

/// Says how long each arena keeps what was freed. One that was not used yet cannot be told, and keeps nothing.
#[cfg(feature = "jemalloc")]
fn each_arena(millis: isize) {
    use tikv_jemalloc_ctl::{Access, AsName, arenas};

    let Ok(mut decay) = "arena.0.dirty_decay_ms\0".name().mib::<[usize; 3]>() else { return };
    for arena in 0..arenas::narenas::read().unwrap_or(0) {
        decay[1] = arena as usize;
        let _ = decay.write(millis);
    }
}

/// The allocator of the C library cannot be asked in safe code. It gives back what it frees at the end of its heap, by itself.
#[cfg(not(feature = "jemalloc"))]
pub(super) fn give_back() {}

#[cfg(not(feature = "jemalloc"))]
pub(super) fn purge() {}
