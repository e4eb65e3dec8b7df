//! The AdCP schema bundle, embedded, with validators by tool and by schema path.
