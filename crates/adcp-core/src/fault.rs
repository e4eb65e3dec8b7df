//! Named places where the crash suite ends the process. Without the feature `__fault-points` nothing is there.

#[cfg(feature = "__fault-points")]
use std::sync::OnceLock;

#[cfg(feature = "__fault-points")]
static HOOK: OnceLock<fn(&'static str, &[String])> = OnceLock::new();

/// Has `hook` called with the name of every point that is reached, and with what it is reached for where that is told.
/// The first one stays.
#[cfg(feature = "__fault-points")]
pub fn on_point(hook: fn(&'static str, &[String])) {
    let _ = HOOK.set(hook);
}

/// A place that a process may not get past.
#[inline]
pub fn point(name: &'static str) {
    point_of(name, Vec::new);
}

/// A place that a process may not get past while it is about `subjects`.
#[inline]
pub fn point_of(name: &'static str, subjects: impl FnOnce() -> Vec<String>) {
    #[cfg(feature = "__fault-points")]
    if let Some(hook) = HOOK.get() {
        hook(name, &subjects());
    }
    #[cfg(not(feature = "__fault-points"))]
    let _ = (name, subjects);
}
