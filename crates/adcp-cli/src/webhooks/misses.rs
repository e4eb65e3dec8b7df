//! Keys that a sender does not publish, remembered for a moment.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Clock as _, SystemClock, Timestamp};
use adcp_signing::{FoundKey, KeyQuery, KeySource, VerifyError};
use async_trait::async_trait;

/// For as long as remote keys are not fetched again for the sake of a missing one.
const REMEMBERED: Duration = Duration::from_secs(30);
/// Names that are remembered; messages of strangers make no more of them.
const MOST: usize = 64;

/// Keys of which each arrival is asked about twice: for the answer, and to be taken apart.
///
/// The source itself would not fetch so soon again, and could only say that it does not know.
pub(super) struct Misses {
    keys: Arc<dyn KeySource>,
    missed: Mutex<HashMap<String, Timestamp>>,
}

impl Misses {
    pub(super) fn of(keys: Arc<dyn KeySource>) -> Self {
        Self { keys, missed: Mutex::default() }
    }

    fn is_missed(&self, keyid: &str) -> bool {
        let now = SystemClock::new().now();
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.retain(|_, at| now >= *at && now.since(*at) < REMEMBERED);
        missed.contains_key(keyid)
    }

    fn miss(&self, keyid: &str) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.len() < MOST {
            missed.insert(keyid.to_owned(), SystemClock::new().now());
        }
    }
}

#[async_trait]
impl KeySource for Misses {
    async fn find(&self, query: &KeyQuery<'_>) -> Result<Option<FoundKey>, VerifyError> {
        if self.is_missed(query.keyid) {
            return Ok(None);
        }
        let found = self.keys.find(query).await?;
        if found.is_none() {
            self.miss(query.keyid);
        }
        Ok(found)
    }
}

impl fmt::Debug for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Misses").finish_non_exhaustive()
    }
}
