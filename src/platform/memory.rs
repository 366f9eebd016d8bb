//! How the process holds its memory, and how much there is.

use std::fs;

/// Where a container is told how much memory it may use, in bytes; "max" where it may use all.
const LIMIT: &str = "/sys/fs/cgroup/memory.max";

/// How much memory there is for this process and its children, in mebibytes; `None` where the system does not say.
pub fn mebibytes() -> Option<u64> {
    let limit = fs::read_to_string(LIMIT).ok();
    let limit = limit.and_then(|text| text.trim().parse().ok());
    let bytes = [limit, of_machine()].into_iter().flatten().min()?;
    Some(bytes / 1024 / 1024)
}

/// The memory of the machine, in bytes.
#[expect(unsafe_code, reason = "the standard library does not tell")]
fn of_machine() -> Option<u64> {
    // SAFETY: sysconf takes a number, and answers -1 to what it does not know.
    let (pages, size) = unsafe {
        (
            libc::sysconf(libc::_SC_PHYS_PAGES),
            libc::sysconf(libc::_SC_PAGESIZE),
        )
    };
    u64::try_from(pages).ok()?.checked_mul(u64::try_from(size).ok()?)
}

/// Has threads share three heaps. The C library would give each its own, and what one has freed then serves none of the
/// others; with a single one, those who read lists wait for one another. To be called before there are any threads.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is only reachable through libc")]
pub fn share_heaps() {
    // SAFETY: mallopt takes two numbers, and refuses what it does not know.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 3) };
}

/// Gives back to the system what was freed; after work that needed much memory once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is only reachable through libc")]
pub fn give_back() {
    // SAFETY: malloc_trim takes a number, and touches only what is free.
    unsafe { libc::malloc_trim(0) };
}

/// Other systems' allocators share what was freed.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn share_heaps() {}

/// Other systems' allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn give_back() {}
