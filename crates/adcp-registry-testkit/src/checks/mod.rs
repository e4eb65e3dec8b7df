//! The checks. Each is named for a promise, and panics when it is broken.

mod calls;
mod ending;
mod events;
mod list;
mod phase;
mod proposals;
mod race;
mod scope;

pub use calls::*;
pub use ending::*;
pub use events::*;
pub use list::*;
pub use phase::*;
pub use proposals::*;
pub use race::*;
pub use scope::*;
