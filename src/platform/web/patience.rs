//! How long the service waits for a client that is sending.

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::rt::time::{Instant, Sleep, sleep_until};
use actix_web::web::Bytes;
use futures_util::Stream;
use std::future::Future;
use std::io;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// What is asked of clients while they send.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long the head of a request may take, and again its body; of a file, any pause within it.
    pub wait: Duration,
    /// How many bytes of a file have to arrive for each second that was spent waiting for it.
    pub least_bytes_per_second: NonZeroU32,
}

impl Patience {
    /// How long all waiting for a file may have taken when this many of its bytes are there.
    fn allowance(&self, bytes: u64) -> Duration {
        let per_second = u64::from(self.least_bytes_per_second.get());
        self.wait + Duration::from_secs(bytes / per_second)
    }
}

/// A body of any length, as it arrives. It ends with an error of the kind [`io::ErrorKind::TimedOut`] when the client
/// pauses for too long, or sends so little at a time that it would go on for ever. Only the time that is spent waiting
/// for the client counts: what the service does with the bytes meanwhile is not held against it.
pub struct Patient {
    payload: Payload,
    patience: Patience,
    bytes: u64,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Patient")
            .field("bytes", &self.bytes)
            .field("waited", &self.waited)
            .finish_non_exhaustive()
    }
}

impl Patient {
    /// The payload, watched.
    pub fn new(payload: Payload, patience: Patience) -> Self {
        Self {
            payload,
            patience,
            bytes: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// Goes on waiting, or learns that it was long enough.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let allowed = self.patience.allowance(self.bytes).saturating_sub(self.waited);
        let pause = allowed.min(self.patience.wait);
        let (_, sleep) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now + pause)))
        });
        sleep.as_mut().poll(context).map(|()| {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the client sends too slowly");
            Some(Err(PayloadError::Io(error)))
        })
    }
}

impl Stream for Patient {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Poll::Ready(arrived) = Pin::new(&mut this.payload).poll_next(context) else {
            return this.wait(context);
        };
        if let Some((since, _)) = this.waiting.take() {
            this.waited += since.elapsed();
        }
        if let Some(Ok(bytes)) = &arrived {
            this.bytes += bytes.len() as u64;
        }
        Poll::Ready(arrived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_buys_time() {
        let patience = Patience {
            wait: Duration::from_secs(20),
            least_bytes_per_second: NonZeroU32::new(1_000).unwrap(),
        };
        assert_eq!(patience.allowance(0), Duration::from_secs(20));
        assert_eq!(patience.allowance(999), Duration::from_secs(20));
        assert_eq!(patience.allowance(60_000), Duration::from_secs(80));
    }
}
