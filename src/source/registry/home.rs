//! Where a registry is: at its host, by HTTPS unless it is this machine's own and does not speak TLS.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::reference::Host;

use super::state::AuthCache;
use super::transport::Connections;
use super::url::{Origin, Scheme};

/// What is remembered of a server that does not speak TLS.
const CLEAR: &[u8] = b"http";

pub(super) struct Home {
    /// Where its API is.
    authority: String,
    found: Mutex<Option<ResolvedCredentials>>,
}

struct ResolvedCredentials {
    origin: Origin,
    /// Whether only the last run knows that the server does not speak TLS.
    is_recalled: bool,
}

impl Home {
    pub(super) fn new(host: &Host) -> Self {
        Home {
            authority: host.api().to_owned(),
            found: Mutex::default(),
        }
    }

    /// `plain` is what the user chose.
    pub(super) fn origin(
        &self,
        plain: bool,
        connections: &Connections,
        memory: &AuthCache,
    ) -> Result<Origin> {
        // The lock is held while one finds out.
        let mut found = self.found();
        if let Some(found) = &*found {
            return Ok(found.origin.clone());
        }
        let secure = self.at(Scheme::Https)?;
        connections.name(&secure);
        let may_be_clear = !plain && secure.is_loopback();
        let is_recalled = may_be_clear && (memory.recall)(&key(&secure)).as_deref() == Some(CLEAR);
        let is_found =
            may_be_clear && !is_recalled && connections.speaks_tls(&secure) == Some(false);
        if is_found {
            (memory.remember)(&key(&secure), CLEAR);
        }
        let origin = match plain || is_recalled || is_found {
            true => self.at(Scheme::Http)?,
            false => secure,
        };
        *found = Some(ResolvedCredentials {
            origin: origin.clone(),
            is_recalled,
        });
        Ok(origin)
    }

    /// Whether only the last run knows that the server does not speak TLS.
    pub(super) fn is_recalled(&self) -> bool {
        self.found().as_ref().is_some_and(|found| found.is_recalled)
    }

    /// Looks again, after an answer that was not a good one, at a server that the last run found
    /// without TLS. True if it speaks TLS by now.
    pub(super) fn has_moved(
        &self,
        is_good: bool,
        connections: &Connections,
        memory: &AuthCache,
    ) -> Result<bool> {
        let mut found = self.found();
        let Some(found) = found.as_mut() else {
            return Ok(false);
        };
        if !std::mem::take(&mut found.is_recalled) {
            // Somebody else has looked.
            return Ok(found.origin.scheme == Scheme::Https);
        }
        let secure = self.at(Scheme::Https)?;
        if is_good || connections.speaks_tls(&secure) != Some(true) {
            return Ok(false);
        }
        (memory.remember)(&key(&secure), b"");
        found.origin = secure;
        Ok(true)
    }

    fn at(&self, scheme: Scheme) -> Result<Origin> {
        Origin::new(scheme, &self.authority)
    }

    fn found(&self) -> MutexGuard<'_, Option<ResolvedCredentials>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(origin: &Origin) -> String {
    format!("scheme {}", origin.authority())
}
