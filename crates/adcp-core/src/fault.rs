//! Named places where the crash suite ends the process. Without the feature `__fault-points` nothing is there.

#[cfg(feature = "__fault-points")]
use std::sync::OnceLock;

#[cfg(feature = "__fault-points")]
static HOOK: OnceLock<fn(&'static str)> = OnceLock::new();

/// Has `hook` called with the name of every point that is reached. The first one stays.
#[cfg(feature = "__fault-points")]
pub fn on_point(hook: fn(&'static str)) {
    let _ = HOOK.set(hook);
}

/// A place that a process may not get past.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(feature = "__fault-points")]
    if let Some(hook) = HOOK.get() {
        hook(name);
    }
    #[cfg(not(feature = "__fault-points"))]
    let _ = name;
}
