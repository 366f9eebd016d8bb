//! How the process holds its memory.

/// Has all threads take their memory from one heap. The C library would give each its own, and what one has freed then
/// serves none of the others: a quarter of the resident memory, most of it left over from the start. Small pieces are
/// kept by each thread anyway, so that threads seldom meet. To be called before there are any.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is only reachable through libc")]
pub fn share_one_heap() {
    // SAFETY: mallopt takes two numbers, and refuses what it does not know.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Other systems' allocators share what was freed.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn share_one_heap() {}
