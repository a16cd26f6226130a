//! Clocks, and the identity of the machine's current boot.

use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;

/// Nanoseconds since the epoch.
#[must_use]
pub fn now_ns() -> u64 {
    let t = clock_gettime(ClockId::Realtime);
    let sec = u64::try_from(t.tv_sec).unwrap_or(0);
    let nsec = u64::try_from(t.tv_nsec).unwrap_or(0);
    sec.saturating_mul(1_000_000_000).saturating_add(nsec)
}

/// Milliseconds since the epoch.
#[must_use]
pub fn now_ms() -> u64 {
    now_ns() / 1_000_000
}

/// Milliseconds on a clock that never goes back. Reading it makes no system call.
#[must_use]
pub fn ticks_ms() -> u64 {
    #[cfg(target_os = "linux")]
    let id = ClockId::MonotonicCoarse;
    #[cfg(not(target_os = "linux"))]
    let id = ClockId::Monotonic;
    let t = clock_gettime(id);
    let sec = u64::try_from(t.tv_sec).unwrap_or(0);
    let nsec = u64::try_from(t.tv_nsec).unwrap_or(0);
    sec.saturating_mul(1000).saturating_add(nsec / 1_000_000)
}

/// A value that differs between any two boots of the machine; zero if the system does not tell.
///
/// Within one boot the page cache holds every byte that was written, synced or not. After a reboot
/// only synced bytes are certain to be there, so a sidecar of another boot is not believed.
#[must_use]
pub fn boot_id() -> u64 {
    static ID: OnceLock<u64> = OnceLock::new();
    *ID.get_or_init(|| {
        #[cfg(target_os = "linux")]
        let text = kernel_boot_id().unwrap_or_default();
        #[cfg(not(target_os = "linux"))]
        let text = boot_time();
        if text.is_empty() { 0 } else { xxhash_rust::xxh3::xxh3_64(&text) }
    })
}

/// Reads once: the kernel returns all 37 bytes at once, and a second read, to see the end, would double the cost.
#[cfg(target_os = "linux")]
fn kernel_boot_id() -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut text = vec![0; 64];
    let len = std::fs::File::open("/proc/sys/kernel/random/boot_id")?.read(&mut text)?;
    text.truncate(len);
    Ok(text)
}

/// The minute in which the machine booted. Apple's monotonic clock counts from there.
#[cfg(not(target_os = "linux"))]
fn boot_time() -> Vec<u8> {
    let up = clock_gettime(ClockId::Monotonic);
    let up = u64::try_from(up.tv_sec).unwrap_or(0);
    ((now_ms() / 1000).saturating_sub(up) / 60).to_le_bytes().to_vec()
}
