//! A run's events as the body of an answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::control::frame;
use super::event::Event;

type Received = (Result<Arc<Event>, RecvError>, Receiver<Arc<Event>>);
type Next = Pin<Box<dyn Future<Output = Received> + Send>>;

/// The events of one job, up to its end.
pub(super) struct EventStream {
    job: u64,
    next: Option<Next>,
}

impl EventStream {
    pub(super) fn new(events: Receiver<Arc<Event>>, job: u64) -> Self {
        Self { job, next: Some(wait(events)) }
    }
}

fn wait(mut events: Receiver<Arc<Event>>) -> Next {
    Box::pin(async move {
        let event = events.recv().await;
        (event, events)
    })
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            let Some(next) = &mut self.next else { return Poll::Ready(None) };
            let Poll::Ready((event, events)) = next.as_mut().poll(context) else {
                return Poll::Pending;
            };
            let event = match event {
                Ok(event) => event,
                Err(RecvError::Lagged(events)) => Arc::new(Event::Missed { events }),
                Err(RecvError::Closed) => {
                    self.next = None;
                    return Poll::Ready(None);
                }
            };
            let concerns = event.job().is_none_or(|job| job == self.job);
            let over = concerns && matches!(*event, Event::Ended { .. });
            self.next = (!over).then(|| wait(events));
            if concerns {
                return Poll::Ready(Some(Ok(frame(&event))));
            }
        }
    }
}
