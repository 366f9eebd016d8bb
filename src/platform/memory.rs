//! How the process holds its memory.

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
