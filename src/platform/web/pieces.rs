//! Long answers that go out piece by piece, so that what they take of memory does not grow with their length.

use super::Granted;
use super::problem::Refusal;
use crate::kernel::ctx::Ctx;
use crate::kernel::permission::Right;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream;
use std::fmt;

/// A piece of a long answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<P> {
    /// What goes out.
    pub bytes: Vec<u8>,
    /// Where the next piece starts; none after the last.
    pub next: Option<P>,
}

/// What a long answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Its media type.
    pub media_type: &'static str,
    /// The name under which a browser keeps it.
    pub name: &'static str,
}

/// A long answer cannot be refused any more once it has begun: it breaks off, so that nobody takes it for the whole.
#[derive(Debug)]
struct BrokenOff(Refusal);

impl fmt::Display for BrokenOff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a long answer broke off: {}", self.0)
    }
}

impl std::error::Error for BrokenOff {}

impl<R: Right> Granted<R> {
    /// Answers piece by piece. Each is read for itself with the rights of that moment, when the client has taken the
    /// one before; what is refused with the first piece is refused as usual.
    pub async fn pieces<P, F>(self, file: File, first: P, work: F) -> Result<HttpResponse, Refusal>
    where
        P: Clone + Send + Sync + 'static,
        F: Fn(&mut Tx<'_>, &Ctx, &P) -> Result<Piece<P>, Problem> + Clone + Send + Sync + 'static,
    {
        let mut who = self;
        let piece = who.piece(&first, &work).await?;
        let pieces = stream::unfold(Some((who, Ok(piece))), move |state| {
            let work = work.clone();
            async move {
                let (mut who, piece): (Self, Result<Piece<P>, Refusal>) = state?;
                let piece = match piece {
                    Ok(piece) => piece,
                    Err(refusal) => {
                        let broken = BrokenOff(refusal);
                        tracing::warn!(%broken);
                        return Some((Err(broken), None));
                    }
                };
                let bytes = Bytes::from(piece.bytes);
                let Some(next) = piece.next else {
                    return Some((Ok(bytes), None));
                };
                let following = who.piece(&next, &work).await;
                Some((Ok(bytes), Some((who, following))))
            }
        });
        Ok(HttpResponse::Ok()
            .content_type(file.media_type)
            .insert_header((
                "Content-Disposition",
                format!("attachment; filename=\"{}\"", file.name),
            ))
            .insert_header(("Cache-Control", "no-store"))
            .streaming(pieces))
    }

    async fn piece<P, F>(&mut self, from: &P, work: &F) -> Result<Piece<P>, Refusal>
    where
        P: Clone + Send + Sync + 'static,
        F: Fn(&mut Tx<'_>, &Ctx, &P) -> Result<Piece<P>, Problem> + Clone + Send + Sync + 'static,
    {
        let (from, work) = (from.clone(), work.clone());
        self.read_again(move |tx, ctx| work(tx, ctx, &from)).await
    }
}
