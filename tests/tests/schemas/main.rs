//! Evidence that types and validators say the same as the schemas.
//!
//! Instances come from the schema JSON, by the sampler in `xtask`; the types are reached by schema path.

mod agreement;
mod arms;
mod json;
mod random;
mod round_trip;
mod strangers;
