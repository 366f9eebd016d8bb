//! One running Postgres: started from a thread of its own, watched until ready, stopped by signals.

use std::io;
#[cfg(target_os = "linux")]
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How often a process is asked whether it has come as far as we wait for.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long a fast shutdown may take: it writes a checkpoint first.
const FAST_SHUTDOWN_LIMIT: Duration = Duration::from_secs(60);

/// A signal of the operating system.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    /// Postgres ends its sessions, writes everything down and stops.
    FastShutdown,
    /// Postgres stops at once and recovers at its next start.
    ImmediateShutdown,
}

/// A Postgres server process that belongs to us; dropping it stops it.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// Lets the thread go that started the child; it must outlive the child.
    _release: Sender<()>,
}

impl Server {
    /// Starts the command from a thread that waits as long as this value lives.
    ///
    /// Linux tells Postgres of its parent's death when the *thread* that started it ends, and callers such as
    /// test harnesses end theirs early.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        let (born, birth) = mpsc::channel();
        let (release, released) = mpsc::channel();
        thread::Builder::new()
            .name("embedded-postgres".to_owned())
            .spawn(move || {
                if born.send(command.spawn()).is_ok() {
                    // Nothing is ever sent: the answer comes when the other end is dropped.
                    let _ = released.recv();
                }
            })?;
        let child = birth.recv().map_err(io::Error::other)??;
        Ok(Self {
            child,
            _release: release,
        })
    }

    pub(super) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Stops the server, fast if it can and at once if it cannot, and waits until it is gone.
    pub(super) fn stop(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        signal(self.process_id(), Signal::FastShutdown)?;
        let mut status = None;
        poll(FAST_SHUTDOWN_LIMIT, || {
            status = self.ended()?;
            Ok::<_, io::Error>(status.is_some())
        })?;
        match status {
            Some(status) => Ok(status),
            None => {
                signal(self.process_id(), Signal::ImmediateShutdown)?;
                self.child.wait()
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever wants to know how it ended calls `stop`; here there is nobody to tell.
        let _ = self.stop();
    }
}

/// Asks again and again until the answer is yes or the time is over; says which of the two it was.
pub(super) fn poll<E>(limit: Duration, mut done: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
    let start = Instant::now();
    while !done()? {
        if start.elapsed() >= limit {
            return Ok(false);
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(true)
}

/// Makes the command's process end when the thread that starts it ends, where the system can do that.
///
/// So a service that was killed leaves no server behind.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "a death signal can only be asked for between fork and exec"
)]
pub(super) fn die_with_parent(command: &mut Command) {
    /// The kernel reads the argument as a long, whatever the type of a signal's number.
    const DEATH_SIGNAL: libc::c_ulong = libc::SIGINT as libc::c_ulong;
    let parent = std::process::id();
    let ask = move || {
        // SAFETY: prctl and getppid may be called between fork and exec, and touch no memory of ours.
        let (asked, parent_now) =
            unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, DEATH_SIGNAL), libc::getppid()) };
        if asked != 0 {
            return Err(io::Error::last_os_error());
        }
        // The parent may have died before the signal was asked for.
        if u32::try_from(parent_now) == Ok(parent) {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: the closure neither allocates nor takes a lock.
    unsafe { command.pre_exec(ask) };
}

/// Elsewhere a server that is left behind is stopped at the next start.
#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent(_command: &mut Command) {}

/// Sends a signal to a process.
#[expect(unsafe_code, reason = "signals can only be sent through libc")]
pub(super) fn signal(process_id: u32, signal: Signal) -> io::Result<()> {
    let number = match signal {
        Signal::FastShutdown => libc::SIGINT,
        Signal::ImmediateShutdown => libc::SIGQUIT,
    };
    let process_id = libc::pid_t::try_from(process_id).map_err(io::Error::other)?;
    // SAFETY: kill takes two numbers and touches no memory of ours.
    if unsafe { libc::kill(process_id, number) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
